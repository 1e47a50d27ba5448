"""The published package's `SiglipVisionModel`: a transformers model around `autogaze.encoders.siglip`.

`gazing_info` is AutoGaze's output dict (`Gaze.to_published()`). Features at padded slots are zeros.
Attention is always torch's scaled-dot-product attention in blocks, whatever `attn_implementation` says.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers import SiglipVisionConfig as PlainSiglipVisionConfig
from transformers.modeling_outputs import BaseModelOutputWithPooling

from autogaze.encoders.config import SiglipConfig
from autogaze.encoders.loading import BESIDES
from autogaze.encoders.patches import check_fit, pack
from autogaze.encoders.siglip import MEMORY_BUDGET, VisionTransformer, encode
from autogaze.gaze import Gaze
from autogaze.model.checkpoint import CheckpointError


class SiglipVisionConfig(PlainSiglipVisionConfig):  # type: ignore[misc]
    """transformers' SiglipVisionConfig with `scales` ("32+64+112+224") and `attn_type` ("block_causal")."""

    scales: Any = "32+64+112+224"
    attn_type: str = "block_causal"


class SiglipVisionModel(PreTrainedModel):  # type: ignore[misc]
    """SigLIP's vision tower over gazed patches, with the published signature."""

    config_class = SiglipVisionConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flash_attn_2 = True
    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [
        "^" + name.replace(".", r"\.") for name in BESIDES
    ]
    memory_budget = MEMORY_BUDGET

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.vision_model = VisionTransformer(SiglipConfig.from_json(config.to_dict()))
        self.post_init()

    @classmethod
    def from_pretrained(cls, source: Any, *args: Any, **kwargs: Any) -> Any:
        """transformers' `from_pretrained`, but strict: CheckpointError lists tensors missing or surplus."""
        both = kwargs.pop("output_loading_info", False)
        model, info = super().from_pretrained(source, *args, output_loading_info=True, **kwargs)
        problems = [f"missing: {name}" for name in sorted(info["missing_keys"])]
        problems += [f"surplus: {n}" for n in sorted(info["unexpected_keys"]) if not n.startswith(BESIDES)]
        problems += [f"shape of {name}" for name in sorted(map(str, info["mismatched_keys"]))]
        if problems:
            raise CheckpointError(f"checkpoint {source}: does not fit the model\n  " + "\n  ".join(problems))
        return (model, info) if both else model

    def get_input_embeddings(self) -> torch.nn.Module:
        """The patch embedding, as transformers has it for vision models."""
        return self.vision_model.embeddings.patch_embedding

    def forward(
        self,
        pixel_values: Tensor,
        gazing_info: Mapping[str, Any] | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> Any:
        """Encode the gazed patches of clips.

        pixel_values: (B, T, 3, H, W), normalised. gazing_info: AutoGaze's output; every patch when None.
        Returns last_hidden_state (B, N, C), and hidden_states on request; no pooler_output.
        """
        if pixel_values.ndim != 5:
            raise ValueError(f"pixel_values: shape {tuple(pixel_values.shape)}, expected (B, T, 3, H, W)")
        gaze = self._gaze(pixel_values, gazing_info)
        packed, slots = pack(gaze), gaze.positions.shape[1]
        states = None
        if output_hidden_states:
            check_fit(pixel_values, gaze, self.vision_model.config.grid)
            rows = list(self.vision_model.states(pixel_values, packed))
            last = self.vision_model.post_layernorm(rows[-1])
            states = tuple(packed.unpack(row, slots) for row in rows)
        else:
            last = encode(self.vision_model, pixel_values, gaze, self.memory_budget)
        output = BaseModelOutputWithPooling(
            last_hidden_state=packed.unpack(last, slots), hidden_states=states
        )
        return output.to_tuple() if return_dict is False else output

    def _gaze(self, pixel_values: Tensor, gazing_info: Mapping[str, Any] | None) -> Gaze:
        config = self.vision_model.config
        if gazing_info is not None:
            return Gaze.from_published(gazing_info, config.scales, config.patch_size).to(pixel_values.device)
        everything = torch.ones(
            *pixel_values.shape[:2], config.grid.tokens, dtype=torch.bool, device=pixel_values.device
        )
        return Gaze.from_masks(everything, config.scales, config.patch_size)
