"""`VideoMAEConfig`: the shape of the reconstruction model; defaults are those of `bfshi/VideoMAE_AutoGaze`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from autogaze.encoders.config import parse_scales
from autogaze.encoders.patches import Grid
from autogaze.gaze import SCALES


@dataclass(frozen=True)
class Stack:
    """The shape of a stack of transformer layers."""

    width: int
    hidden: int
    layers: int
    heads: int
    eps: float


@dataclass(frozen=True)
class VideoMAEConfig:
    """Hugging Face ViT-MAE names, then what video adds.

    scales: px, coarse first; the last one is the size of the pictures made.
    scale_embed, time_embed: whether tokens carry an embedding of their scale and of their frame.
    causal: block-causal attention in encoder and decoder; otherwise everything sees everything.
    """

    hidden_size: int = 1024
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    decoder_hidden_size: int = 512
    decoder_intermediate_size: int = 2048
    decoder_num_hidden_layers: int = 8
    decoder_num_attention_heads: int = 16
    image_size: int = 224
    patch_size: int = 16
    layer_norm_eps: float = 1e-12
    scales: tuple[int, ...] = SCALES
    scale_embed: bool = True
    time_embed: bool = True
    max_num_frames: int = 256
    causal: bool = True

    def __post_init__(self) -> None:
        if not self.scales or self.scales[-1] != self.image_size:
            raise ValueError(f"scales={self.scales}: the last must be image_size={self.image_size}")
        for prefix in ("", "decoder_"):
            stack = self._stack(prefix)
            if stack.width % stack.heads:
                raise ValueError(
                    f"{prefix}num_attention_heads={stack.heads}: must divide the width {stack.width}"
                )
        _ = self.grid  # raises when scales and patch_size do not fit

    @property
    def grid(self) -> Grid:
        return Grid(self.scales, self.patch_size)

    @property
    def encoder(self) -> Stack:
        return self._stack("")

    @property
    def decoder(self) -> Stack:
        return self._stack("decoder_")

    def _stack(self, prefix: str) -> Stack:
        names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
        width, hidden, layers, heads = (getattr(self, prefix + name) for name in names)
        return Stack(width, hidden, layers, heads, self.layer_norm_eps)

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> Self:
        """Read a config.json; keys that say nothing about the network (its loss, say) are passed over."""
        known = {field.name: config[field.name] for field in fields(cls) if field.name in config}
        if "scales" in known:
            known["scales"] = parse_scales(known["scales"])
        return cls(**known)
