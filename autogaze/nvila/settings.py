"""`VideoSettings`: how a video becomes clips and how much of each is gazed at, under the published names.

>>> VideoSettings(num_video_frames=8)
Traceback (most recent call last):
ValueError: num_video_frames=8: expected a positive multiple of 16
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

CLIP_FRAMES = 16
"""Frames of a tile's clip: the most AutoGaze sees at once."""

Ratio = float | tuple[float, ...] | None
Kind = Literal["tile", "thumbnail"]

CLIPS = 16
"""Clips at a time where none are named and no free memory is known."""
CHOICES = {
    "gaze_grid": ("aligned", "released", "quartered"),
    "gazing_budget": ("tile", "picture"),
    "resize": ("decoder", "pil"),
}
"""Settings that are one of a few words."""


@dataclass(frozen=True)
class VideoSettings:
    """The names of the published processor.

    num_video_frames: uniform frames, cut in clips of 16. num_video_frames_thumbnail: how many of them are
        also seen whole, as clips of one frame. max_tiles_video: tiles a frame is cut in, at most.
    gazing_ratio_*: share of a frame's tokens that may be gazed, in (0, 1]: one number, or one for each frame
        of a clip; None for all. task_loss_requirement_*: predicted loss at which a frame is done, or None.
    max_batch_size_autogaze: clips in memory as floats at a time; None: as many as a GPU's free memory takes, 16
        elsewhere. image_mean, image_std: of the encoder.
    gaze_grid: "aligned": AutoGaze looks on the encoder's own grid. "released": on the grid of the published
        defaults, whose positions the published encoder then reads as its own, though it has another grid
        (1,060 tokens a frame where AutoGaze counted 1,038): most gazed patches are read some places away.
        "quartered": in patches of twice the encoder's side, each of which becomes four of the encoder's.
    gazing_budget: "tile": every tile of a frame has its ratio's tokens. "picture": a frame's tiles share them, with
        selectors that can (not AutoGaze); all tiles of 16 frames are then floats at a time.
    resize: "decoder": frames come from the decoder at the tiles' size, thumbnails are those made smaller. "pil":
        both come from the whole frame by Pillow's bicubic filter, as published; slower.

    Raises ValueError naming the field, its value and what is allowed.
    """

    num_video_frames: int = 16
    num_video_frames_thumbnail: int = 8
    max_tiles_video: int = 8
    gazing_ratio_tile: Ratio = 0.75
    gazing_ratio_thumbnail: Ratio = 0.75
    task_loss_requirement_tile: float | None = 0.7
    task_loss_requirement_thumbnail: float | None = 0.7
    max_batch_size_autogaze: int | None = None
    image_mean: float = 0.5
    image_std: float = 0.5
    gaze_grid: str = "aligned"
    gazing_budget: str = "tile"
    resize: str = "decoder"

    def __post_init__(self) -> None:
        _whole("num_video_frames", self.num_video_frames, CLIP_FRAMES, CLIP_FRAMES)
        _whole("num_video_frames_thumbnail", self.num_video_frames_thumbnail, 0)
        _whole("max_tiles_video", self.max_tiles_video, 1)
        if self.max_batch_size_autogaze is not None:
            _whole("max_batch_size_autogaze", self.max_batch_size_autogaze, 1)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r}: allowed are {', '.join(allowed)}")
        if self.num_video_frames_thumbnail > self.num_video_frames:
            raise ValueError(
                f"num_video_frames_thumbnail={self.num_video_frames_thumbnail}: thumbnails are taken from the "
                f"num_video_frames={self.num_video_frames} frames, expected at most that many"
            )
        for name, length in (("gazing_ratio_tile", CLIP_FRAMES), ("gazing_ratio_thumbnail", 1)):
            object.__setattr__(self, name, _ratio(name, getattr(self, name), length))
        for name in ("task_loss_requirement_tile", "task_loss_requirement_thumbnail"):
            _loss(name, getattr(self, name))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read JSON values; unknown names are a ValueError."""
        unknown = sorted(set(data) - set(cls.names()))
        if unknown:
            raise ValueError(
                f"video settings: unknown {', '.join(unknown)}; allowed: {', '.join(cls.names())}"
            )
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """JSON values, ratios one a frame as lists."""
        data = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}

    def together(self, tiles: int) -> int | None:
        """Clips of a frame of so many tiles that must be floats at a time; None where that is left to the machine."""
        return tiles if self.gazing_budget == "picture" else self.max_batch_size_autogaze

    def request(self, kind: Kind) -> tuple[Ratio, float | None]:
        """Ratio and loss requirement of a "tile" or a "thumbnail"."""
        if kind == "tile":
            return self.gazing_ratio_tile, self.task_loss_requirement_tile
        return self.gazing_ratio_thumbnail, self.task_loss_requirement_thumbnail


def _whole(name: str, value: object, low: int, step: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low or value % step:
        allowed = f"a positive multiple of {step}" if step > 1 else f"a whole number from {low}"
        raise ValueError(f"{name}={value!r}: expected {allowed}")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ratio(name: str, value: object, length: int) -> Ratio:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str):
        return _share(name, value)
    if len(value) != length:
        raise ValueError(
            f"{name}: {len(value)} numbers, expected one for all frames or {length}, one a frame"
        )
    return tuple(_share(name, one) for one in value)


def _share(name: str, value: object) -> float:
    if not isinstance(value, int | float) or not _number(value) or not 0 < value <= 1:
        raise ValueError(f"{name}={value!r}: expected a number above 0, up to 1")
    return float(value)


def _loss(name: str, value: object) -> None:
    if value is not None and not _number(value):
        raise ValueError(f"{name}={value!r}: expected a finite number or None")
