"""`autogaze.vision_encoders.siglip.SiglipVisionModel`, where code for the published package looks for it."""

from autogaze.vision_encoders.siglip.modeling_siglip import SiglipVisionConfig, SiglipVisionModel

__all__ = ["SiglipVisionConfig", "SiglipVisionModel"]
