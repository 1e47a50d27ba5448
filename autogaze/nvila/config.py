"""`NVILAConfig`: all sizes of an NVILA-HD model and the settings it was made for; `config.json` of our checkpoints."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from autogaze.encoders.config import SiglipConfig
from autogaze.encoders.patches import Grid
from autogaze.model.checkpoint import read_config
from autogaze.nvila.settings import VideoSettings

MODEL_TYPE = "hlvid_nvila_hd"
"""Marks a folder as a checkpoint of ours; the published checkpoint carries `auto_map` instead."""

VIDEO_TOKEN = "<vila/video>"
GROUPINGS = ("time", "tile")
_LISTS = ("chat", "stop", "released_scales")
_PLAIN = ("token_shuffle", "grouping", "released_patch", "context", "autogaze", "random")


@dataclass(frozen=True)
class NVILAConfig:
    """vision: the encoder, its scales and patch size among it. llm: arguments of transformers' Qwen2Config.

    token_shuffle: neighbouring visual tokens that become one. grouping: what is padded to a multiple of that:
        "time", a time step over all tiles (as published), or "tile", a tile's frame. context: most tokens of
        prompt, video and answer. chat: what stands before and after the user's text. stop: ids that end an
        answer; the end of a turn where there are none. released_scales, released_patch: the grid on which
        AutoGaze counts with `gaze_grid` "released". source: what a converted checkpoint was. autogaze: the
        selector's weights, a folder inside the checkpoint, another folder or a hub id.
    random: the weights are drawn and were never trained; every answer of such a model is noise.
    """

    vision: SiglipConfig
    llm: Mapping[str, Any]
    video: VideoSettings = field(default_factory=VideoSettings)
    token_shuffle: int = 9
    grouping: str = "time"
    chat: tuple[str, str] = ("", "")
    stop: tuple[int, ...] = ()
    released_scales: tuple[int, ...] = (56, 112, 224, 448)
    released_patch: int = 16
    source: Mapping[str, Any] = field(default_factory=dict)
    context: int = 40_960
    autogaze: str | None = None
    random: bool = False

    def __post_init__(self) -> None:
        for name in ("token_shuffle", "context"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a positive number")
        if self.grouping not in GROUPINGS:
            raise ValueError(f"grouping={self.grouping!r}: allowed are {', '.join(GROUPINGS)}")
        for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"):
            if name not in self.llm:
                raise ValueError(f"llm: no {name}; it has {', '.join(sorted(self.llm))}")

    def gaze_grid(self, settings: VideoSettings) -> Grid:
        """The grid on which gazed patches are counted; see `VideoSettings.gaze_grid`."""
        if settings.gaze_grid == "released":
            return Grid(self.released_scales, self.released_patch)
        if settings.gaze_grid == "quartered":
            return Grid(self.vision.scales, 2 * self.vision.patch_size)
        return self.vision.grid

    @property
    def tile(self) -> int:
        """Side of a tile in pixels: the finest scale."""
        return self.vision.scales[-1]

    @property
    def projector_sizes(self) -> tuple[int, int, int]:
        """Widths of the projector: nine tokens side by side, three of them, the language model's."""
        dim = self.vision.hidden_size
        return dim * self.token_shuffle, dim * 3, int(self.llm["hidden_size"])

    def single_scale(self, side: int) -> Self:
        """The same model on whole frames of `side` px at one scale, each frame by itself: no tiles, no gaze."""
        vision = replace(self.vision, scales=(side,), attn_type="frame_independent")
        return replace(self, vision=vision)

    def to_dict(self) -> dict[str, Any]:
        vision = asdict(self.vision)
        return {
            "model_type": MODEL_TYPE,
            "vision": {**vision, "scales": list(self.vision.scales)},
            "llm": dict(self.llm),
            "video": self.video.to_dict(),
            **{name: list(getattr(self, name)) for name in _LISTS},
            **{name: getattr(self, name) for name in _PLAIN},
            "source": dict(self.source),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read `to_dict`'s layout. Raises ValueError for another kind of checkpoint or a bad value."""
        if data.get("model_type") != MODEL_TYPE:
            raise ValueError(f"model_type={data.get('model_type')!r} in config.json: expected {MODEL_TYPE!r}")
        rest = {name: data[name] for name in (*_PLAIN, "source") if name in data}
        rest |= {name: tuple(data[name]) for name in _LISTS if name in data}
        return cls(
            vision=SiglipConfig.from_json(data["vision"]),
            llm=data["llm"],
            video=VideoSettings.from_dict(data.get("video", {})),
            **rest,
        )

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None) -> Self:
        """Read `config.json` of a folder or hub repository."""
        return cls.from_dict(read_config(source, revision))
