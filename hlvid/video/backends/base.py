"""What a decoding back end gives `hlvid.video.Video`; a new one needs nothing else.

Example::

    class MyBackend:
        info = Info(...)
        def stream(self, indices, size): ...
        def close(self): ...
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hlvid.video.picture import Picture

Size = tuple[int, int]
"""(height, width) in pixels, as shown."""


@dataclass(frozen=True, eq=False)
class Info:
    """What is known of a video. Sizes are as shown (square pixels, after rotation); times in seconds.

    decoder: everything that decides about pixels: back end, its version, libav versions, scaler.
    timestamps: (frame_count,) seconds since the first frame.
    stream: the number in the file of the stream that is read; None where the back end does not tell.
    sample_aspect: how many times a stored pixel is as wide as high; applied to the width.
    damage: what is broken, in words; empty for a sound file. notes: damage, and what is merely odd.
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
    stream: int | None = None
    sample_aspect: Fraction = Fraction(1)
    damage: tuple[str, ...] = ()
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
