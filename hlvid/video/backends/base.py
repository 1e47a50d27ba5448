"""What a decoding back end gives `hlvid.video.Video`; a new one needs nothing else.

Example::

    class MyBackend:
        info = Info(...)
        def stream(self, indices, size): ...
        def close(self): ...
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hlvid.video.picture import Picture

Size = tuple[int, int]
"""(height, width) in pixels, as shown."""


@dataclass(frozen=True, eq=False)
class Info:
    """What is known of a video. Sizes are as shown (after rotation), in pixels; times in seconds.

    decoder: everything that decides about pixels: back end, its version, libav versions, scaler.
    timestamps: (frame_count,) seconds since the first frame.
    notes: what is wrong with the file, in words; empty for a sound one.
    """

    width: int
    height: int
    fps: float
    frame_count: int
    duration: float
    codec: str
    rotation: int
    pix_fmt: str
    decoder: str
    timestamps: npt.NDArray[np.float64] = field(repr=False)
    notes: tuple[str, ...] = ()


class Backend(Protocol):
    """One open video file."""

    @property
    def info(self) -> Info:
        """What is known now; a damaged file may turn out to hold fewer frames while it is read."""

    def stream(self, indices: Sequence[int], size: Size | None) -> Iterator[tuple[int, Picture]]:
        """(index, uint8 (height, width, 3)) for valid, ascending, distinct `indices`; size None: as it is."""

    def close(self) -> None:
        """Free the file and the decoder."""
