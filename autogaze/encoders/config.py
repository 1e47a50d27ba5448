"""`SiglipConfig`: the shape of a SigLIP or SigLIP2 vision tower, and how it looks at gazes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from autogaze.encoders.attention import Mode, check_mode
from autogaze.encoders.patches import Grid
from autogaze.gaze import SCALES

GELU_TANH = "gelu_pytorch_tanh"


def parse_scales(scales: str | int | Sequence[int]) -> tuple[int, ...]:
    """`"32+64+112+224"` (the published way) or numbers -> (32, 64, 112, 224); else ValueError."""
    try:
        items = (
            scales.split("+") if isinstance(scales, str) else [scales] if isinstance(scales, int) else scales
        )
        parsed = tuple(int(item) for item in items)
    except (TypeError, ValueError):
        parsed = ()
    if not parsed or min(parsed) < 1:
        raise ValueError(f"scales={scales!r}: expected pixels such as '32+64+112+224' or (32, 64, 112, 224)")
    return parsed


@dataclass(frozen=True)
class SiglipConfig:
    """Names and defaults as in a SigLIP checkpoint's `vision_config`, then what gazing adds.

    scales: px, coarse first; frames are resized to each of them.
    attn_type: who sees whom across frames: block_causal, frame_independent, causal or bidirectional.
    select_layer: which hidden state is the feature. -1: the last, through the post norm; -2 and below: that one
        of the embedding and the layers' outputs, counted from the end, without the norm (as VILA's models read).
    """

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 16
    layer_norm_eps: float = 1e-6
    hidden_act: str = GELU_TANH
    scales: tuple[int, ...] = SCALES
    attn_type: Mode = "block_causal"
    select_layer: int = -1

    def __post_init__(self) -> None:
        check_mode(self.attn_type)
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"num_attention_heads={self.num_attention_heads}: must divide hidden_size={self.hidden_size}"
            )
        if self.hidden_act != GELU_TANH:
            raise ValueError(f"hidden_act={self.hidden_act!r}: SigLIP has {GELU_TANH!r}")
        if self.num_channels != 3:
            raise ValueError(f"num_channels={self.num_channels}: only RGB, 3, is supported")
        if not -self.num_hidden_layers - 1 <= self.select_layer <= -1:
            raise ValueError(
                f"select_layer={self.select_layer}: expected -1 to {-self.num_hidden_layers - 1}, "
                f"since there are {self.num_hidden_layers} layers"
            )
        _ = self.grid  # raises when scales and patch_size do not fit

    @property
    def grid(self) -> Grid:
        return Grid(self.scales, self.patch_size)

    def bytes_per_token(self, itemsize: int = 4) -> int:
        """Activations of a token where a layer is widest: input, normed, and q, k, v, y or the MLP's two."""
        floats = 2 * self.hidden_size + max(4 * self.hidden_size, 2 * self.intermediate_size)
        return floats * itemsize

    @classmethod
    def from_json(cls, config: Mapping[str, Any], **changes: Any) -> Self:
        """Read a checkpoint's config.json, of the whole SigLIP or of its vision tower; `changes` win.

        Keys that say nothing about the tower's shape are passed over; raises ValueError on values out of
        range.
        """
        values = {
            **config.get("vision_config", config),
            **{k: v for k, v in changes.items() if v is not None},
        }
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        if "scales" in known:
            known["scales"] = parse_scales(known["scales"])
        return cls(**known)
