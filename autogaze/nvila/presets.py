"""Named shapes: `tiny` runs 4K video on a laptop, `base` is a small real one, `8b` is the published model's.

`mini` (5.2 M parameters) is what `hlvid train reading` teaches to read: patches of 8 px, about a character of the
smallest lettering, in 144 tiles at 4K, and every gazed patch goes to the language model by itself. `mini-video` is its
baseline: the same network on whole frames of 448 px at one scale, for `nvila_video`.
"""

from dataclasses import replace

import torch

from autogaze.encoders.config import SiglipConfig
from autogaze.model.config import AutoGazeConfig
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.settings import VideoSettings

SCALES = (56, 112, 196, 392)
VISION = SiglipConfig(image_size=448, patch_size=14, scales=SCALES, select_layer=-2)
"""What all shapes have of the published tower: grids of 4, 8, 14 and 28 patches, the last layer but one."""

README_RATIO = (0.2, *[0.06] * 15)

# The README setting of nvidia/NVILA-8B-HD-Video.
README = VideoSettings(
    num_video_frames=128,
    num_video_frames_thumbnail=64,
    max_tiles_video=48,
    gazing_ratio_tile=README_RATIO,
    gazing_ratio_thumbnail=1.0,
    task_loss_requirement_tile=0.6,
    task_loss_requirement_thumbnail=None,
)
SMALL = replace(README, num_video_frames=16, num_video_frames_thumbnail=4, max_tiles_video=8)

# A gaze for text at 4K: 76 gazed patches a frame, wherever in it they are.
FOR_TEXT = VideoSettings(
    num_video_frames_thumbnail=0,
    max_tiles_video=144,
    gazing_ratio_tile=0.002,
    gazing_ratio_thumbnail=None,
    task_loss_requirement_tile=None,
    task_loss_requirement_thumbnail=None,
    gaze_grid="quartered",
    gazing_budget="picture",
)

WHOLE = VideoSettings(num_video_frames_thumbnail=0, max_tiles_video=1)
"""16 whole frames."""

# Token ids of the byte-level tokenizer end at 259; real vocabularies are larger and have room for it.
_TINY = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
_MINI = {
    "hidden_size": 192,
    "intermediate_size": 448,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "vocab_size": 510,
    "rope_theta": 1_000_000.0,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}
_EYES = SiglipConfig(
    hidden_size=192,
    intermediate_size=768,
    num_hidden_layers=6,
    num_attention_heads=6,
    patch_size=8,
    attn_type="frame_independent",
)
_BASE = {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14}
_SEVEN = {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28}

SHAPES = {
    "tiny": NVILAConfig(
        vision=replace(
            VISION, hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=3
        ),
        llm={**_TINY, "num_key_value_heads": 2, "vocab_size": 272},
        video=SMALL,
    ),
    "mini": NVILAConfig(vision=_EYES, llm=_MINI, video=FOR_TEXT, token_shuffle=1),
    "mini-video": NVILAConfig(
        vision=replace(_EYES, image_size=448, scales=(448,)),
        llm=_MINI,
        video=WHOLE,
        token_shuffle=1,
        context=57_344,  # 16 frames are 50,176 patches
    ),
    "base": NVILAConfig(
        vision=VISION,
        llm={**_BASE, "num_key_value_heads": 2, "vocab_size": 151_936, "rope_theta": 1_000_000.0},
        video=SMALL,
    ),
    "8b": NVILAConfig(
        vision=replace(
            VISION, hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16
        ),
        llm={**_SEVEN, "num_key_value_heads": 4, "vocab_size": 152_064, "rope_theta": 1_000_000.0},
        video=README,
    ),
}

TINY_AUTOGAZE = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=96, layers=1, heads=3)


def shape(name: str) -> NVILAConfig:
    """A preset. Raises ValueError for an unknown name."""
    if name not in SHAPES:
        raise ValueError(f"shape={name!r}: allowed are {', '.join(SHAPES)}")
    return SHAPES[name]


def selector_shape(name: str) -> AutoGazeConfig:
    """The AutoGaze that goes with a preset: the published one, but for `tiny`."""
    return TINY_AUTOGAZE if name == "tiny" else AutoGazeConfig()


def parameter_count(config: NVILAConfig) -> dict[str, int]:
    """Parameters of vision, projector and llm; nothing is allocated."""
    from autogaze.nvila.model import NVILAHD

    with torch.device("meta"):
        model = NVILAHD(config)
    return {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
