"""The frames that are handed to a model: sampled and resized by `hlvid.video`, nothing else touches them."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluators.models.frames.settings import Form, FrameSettings
from hlvid.errors import RunError
from hlvid.video import Video, sampling
from hlvid.video.picture import Picture
from hlvid.video.tiles import fit_long_side

Size = tuple[int, int]
"""Height and width in px."""


@dataclass(frozen=True)
class Delivery:
    """Decoded frames and where they are from.

    frames: uint8 (T, H, W, 3) RGB. indices: of each in the file; times: when each is shown, in seconds.
    fps, total, duration, native: of the file (native: its size). seconds: what decoding took.
    """

    path: Path
    frames: Picture
    indices: list[int]
    times: list[float]
    fps: float
    total: int
    duration: float
    native: Size
    decoder: str
    seconds: float

    @property
    def count(self) -> int:
        """Frames, all different."""
        return len(self.indices)

    @property
    def size(self) -> Size:
        """Height and width of each."""
        return int(self.frames.shape[1]), int(self.frames.shape[2])

    def told(self) -> "Delivery":
        """The same without its pixels: a picture of that size and number which takes no memory."""
        return replace(self, frames=np.broadcast_to(np.zeros((), self.frames.dtype), self.frames.shape))

    @property
    def sample_fps(self) -> float:
        """Frames handed over per second of the file."""
        return self.count / self.duration if self.duration > 0 else self.fps


def deliver(path: Path, settings: FrameSettings, form: Form) -> Delivery:
    """Sample, decode and resize.

    Raises:
        VideoError: the file does not open or decode.
        RunError: the resolution is none that the model can take (see `size_for`).
    """
    started = time.perf_counter()
    with Video.open(path) as video:
        indices = pick(video.frame_count, video.fps, settings)
        size = size_for(video.width, video.height, settings, form)
        frames = video.frames(indices, size)
        return Delivery(
            path=path,
            frames=frames,
            indices=indices,
            times=[float(video.timestamps[index]) for index in indices],
            fps=video.fps,
            total=video.frame_count,
            duration=video.duration,
            native=(video.height, video.width),
            decoder=video.decoder,
            seconds=time.perf_counter() - started,
        )


def pick(count: int, fps: float, settings: FrameSettings) -> list[int]:
    """Frame indices, all different: a video that has fewer than were asked gives all that it has."""
    if settings.fps is not None:
        return sampling.fps_capped(count, fps, settings.fps, settings.frames)
    return sampling.distinct(settings.sampling, count, settings.frames)


def size_for(width: int, height: int, settings: FrameSettings, form: Form) -> Size:
    """(height, width) to decode to: the long side is `resolution`, the short one the nearest multiple.

    Raises:
        RunError: `resolution` is no multiple of what the model's patches need, unless `allow_resize`.
    """
    step, asked = form.multiple, settings.resolution
    if asked % step and not settings.allow_resize:
        raise RunError(
            f"resolution {asked}: {settings.inner} takes multiples of {step} px; "
            f"ask for {_nearest(asked, step)}, or set allow_resize=True"
        )
    long_side = _nearest(asked, step)
    if form.square:
        return long_side, long_side
    h, w = fit_long_side(width, height, long_side)
    return _nearest(h, step), _nearest(w, step)


def _nearest(value: int, step: int) -> int:
    return max(step, step * ((2 * value + step) // (2 * step)))
