"""`AutoGazeConfig`: the sizes of an AutoGaze model, read from and written to the published `config.json`.

>>> config = AutoGazeConfig()                    # the published model
>>> config.scale_list, config.num_vision_tokens_each_frame, config.heads_ahead
((32, 64, 112, 224), 265, 10)
>>> AutoGazeConfig.from_dict(config.to_dict()) == config
True
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autogaze.gaze import grid_sides, tokens_per_frame

LLAMA3_ROPE: dict[str, Any] = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
    "rope_type": "llama3",
}


@dataclass(frozen=True)
class AutoGazeConfig:
    """Sizes of the network, in its own words; the defaults are the published model's.

    scales: side lengths in pixels joined by "+", as published; `scale_list` is the same as numbers.
    extra: whatever else `config.json` holds (sampling settings of the training code), kept for `to_dict`.

    Raises ValueError when `num_vision_tokens_each_frame` is not what the scales amount to.
    """

    max_num_frames: int = 16
    scales: str = "32+64+112+224"
    num_vision_tokens_each_frame: int = 265
    input_img_size: int = 224
    patch_size: int = 16
    vision_dim: int = 192
    vision_depth: int = 1
    trunk_temporal_kernel: int = 3
    trunk_spatial_kernel: int = 3
    hidden_size: int = 192
    intermediate_size: int = 384
    layers: int = 4
    heads: int = 6
    rms_norm_eps: float = 1e-5
    rope_theta: float = 500_000.0
    rope_scaling: Mapping[str, Any] | None = field(default_factory=lambda: dict(LLAMA3_ROPE))
    heads_ahead: int = 10
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = tokens_per_frame(self.scale_list, self.patch_size)
        if self.num_vision_tokens_each_frame != expected:
            raise ValueError(
                f"num_vision_tokens_each_frame={self.num_vision_tokens_each_frame}: scales {self.scales} "
                f"in patches of {self.patch_size} px make {expected}"
            )

    @property
    def scale_list(self) -> tuple[int, ...]:
        """The scales in pixels, ascending."""
        return tuple(sorted(int(scale) for scale in str(self.scales).split("+")))

    @property
    def sides(self) -> tuple[int, ...]:
        """Patches along a side at every scale."""
        return grid_sides(self.scale_list, self.patch_size)

    @property
    def features(self) -> int:
        """Feature tokens of one frame: 196."""
        return (self.input_img_size // self.patch_size) ** 2

    @property
    def eos(self) -> int:
        """The token that ends a list and pads it: 265."""
        return self.num_vision_tokens_each_frame

    @property
    def default_request(self) -> tuple[float, float | None]:
        """Ratio and loss requirement that the checkpoint names for inference, for calls that name neither."""
        ratio = self.extra.get("gazing_ratio_config", {}).get("fixed", {}).get("gazing_ratio", 0.5)
        loss = self.extra.get("task_loss_requirement_config", {}).get("fixed", {})
        wanted = self.extra.get("has_task_loss_requirement_during_inference", False)
        return float(ratio), float(loss.get("task_loss_requirement", 0.7)) if wanted else None

    @property
    def gaze_model_config(self) -> SimpleNamespace:
        """The nested sections under their published names, for code that reads them."""
        sections = self.to_dict()["gaze_model_config"]
        return SimpleNamespace(
            **{
                name: SimpleNamespace(**value) if isinstance(value, dict) else value
                for name, value in sections.items()
            }
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "AutoGazeConfig":
        """Read the published layout. Raises ValueError naming what this implementation does not have."""
        model = data.get("gaze_model_config", {})
        vision = model.get("vision_model_config", {})
        decoder = model.get("gaze_decoder_config", {})
        _refuse_unsupported(vision, decoder)
        own = {"model_type", "max_num_frames", "scales", "num_vision_tokens_each_frame", "gaze_model_config"}
        given = {
            "max_num_frames": data.get("max_num_frames"),
            "scales": data.get("scales"),
            "num_vision_tokens_each_frame": data.get("num_vision_tokens_each_frame"),
            "input_img_size": model.get("input_img_size"),
            "patch_size": vision.get("kernel_size"),
            "vision_dim": vision.get("hidden_dim"),
            "vision_depth": vision.get("depth"),
            "trunk_temporal_kernel": vision.get("trunk_temporal_kernel_size"),
            "trunk_spatial_kernel": vision.get("trunk_spatial_kernel_size"),
            "hidden_size": decoder.get("hidden_size"),
            "intermediate_size": decoder.get("intermediate_size"),
            "layers": decoder.get("num_hidden_layers"),
            "heads": decoder.get("num_attention_heads"),
            "rms_norm_eps": decoder.get("rms_norm_eps"),
            "rope_theta": decoder.get("rope_theta"),
            "heads_ahead": decoder.get("num_multi_token_pred"),
        }
        rope = {"rope_scaling": decoder["rope_scaling"]} if "rope_scaling" in decoder else {}
        extra = {name: value for name, value in data.items() if name not in own}
        return cls(**{name: value for name, value in given.items() if value is not None}, **rope, extra=extra)

    def to_dict(self) -> dict[str, Any]:
        """The published layout, as `from_dict` reads it."""
        return {
            **self.extra,
            "model_type": "autogaze",
            "max_num_frames": self.max_num_frames,
            "scales": self.scales,
            "num_vision_tokens_each_frame": self.num_vision_tokens_each_frame,
            "gaze_model_config": {
                "input_img_size": self.input_img_size,
                "vision_model_config": {
                    "hidden_dim": self.vision_dim,
                    "out_dim": self.hidden_size,
                    "depth": self.vision_depth,
                    "kernel_size": self.patch_size,
                    "temporal_patch_size": 1,
                    "trunk_temporal_kernel_size": self.trunk_temporal_kernel,
                    "trunk_spatial_kernel_size": self.trunk_spatial_kernel,
                },
                "connector_config": {"hidden_dim": self.hidden_size},
                "gaze_decoder_config": {
                    "hidden_size": self.hidden_size,
                    "intermediate_size": self.intermediate_size,
                    "num_attention_heads": self.heads,
                    "num_hidden_layers": self.layers,
                    "rms_norm_eps": self.rms_norm_eps,
                    "rope_scaling": dict(self.rope_scaling) if self.rope_scaling else None,
                    "rope_theta": self.rope_theta,
                    "num_multi_token_pred": self.heads_ahead,
                },
            },
        }

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None) -> "AutoGazeConfig":
        """Read `config.json` from a folder or a hub repository."""
        from autogaze.model.checkpoint import read_config

        return cls.from_dict(read_config(source, revision))


def _refuse_unsupported(vision: Mapping[str, Any], decoder: Mapping[str, Any]) -> None:
    """Fail on settings that would silently change the model."""
    heads = decoder.get("num_attention_heads", 6)
    fixed = [
        ("temporal_patch_size", vision.get("temporal_patch_size", 1), 1),
        ("num_key_value_heads", decoder.get("num_key_value_heads") or heads, heads),
        ("tie_word_embeddings", decoder.get("tie_word_embeddings", False), False),
        ("attention_bias", decoder.get("attention_bias", False), False),
        ("mlp_bias", decoder.get("mlp_bias", False), False),
    ]
    for name, value, allowed in fixed:
        if value != allowed:
            raise ValueError(f"{name}={value!r} in config.json: only {allowed!r} is supported")
    scaling = decoder.get("rope_scaling")
    if scaling and scaling.get("rope_type", scaling.get("type")) != "llama3":
        raise ValueError(f"rope_scaling={scaling!r} in config.json: only rope_type 'llama3' is supported")
