"""What is known of a video that is open.

Example::

    Video.open("clip.mp4").info.frame_count
"""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Size = tuple[int, int]
"""(height, width) in pixels, as shown."""


@dataclass(frozen=True, eq=False)
class Info:
    """What is known of a video. Sizes are as shown (square pixels, after rotation); times in seconds.

    decoder: everything that decides about pixels: PyAV's, libav's and the scaler's versions.
    timestamps: (frame_count,) seconds since the first frame.
    stream: the number in the file of the stream that is read.
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
    stream: int = 0
    sample_aspect: Fraction = Fraction(1)
    damage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
