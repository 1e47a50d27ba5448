"""Holes in a video's time line, and damage in words.

>>> gaps(np.array([0, 1, 2, 3, 9, 10, 11, 12]))
[Gap(after=3, missing=5)]
>>> stretches([3.2, 3.24, 3.28], [0.0, 2.4, 4.8], 8.0)      # up to the next key frame
[(3.2, 4.8)]

Only a regular time line has gaps: where most steps are alike, a long one is missing frames (dropped by a
recorder, or lost to damage). At a variable rate only steps that are far longer than usual count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

REGULAR = 0.8
"""Share of steps within a tenth (or one tick) of the median from which on a time line counts as regular."""

TOGETHER = 1.0
"""Seconds; damage within that time of other damage is told as one stretch."""

SHOWN = 5


@dataclass(frozen=True)
class Gap:
    """`missing` frames (about) between frames `after` and `after + 1`."""

    after: int
    missing: int


def step_of(pts: npt.NDArray[np.int64]) -> tuple[float, bool]:
    """(the median step from frame to frame in ticks, whether most steps are like it); (0, False) for one frame."""
    steps = np.diff(pts)
    if not len(steps):
        return 0.0, False
    step = float(np.median(steps))
    alike = np.abs(steps - step) <= max(1.0, 0.1 * step)
    return step, bool(alike.mean() >= REGULAR)


def gaps(pts: npt.NDArray[np.int64]) -> list[Gap]:
    """Where frames are missing in ascending time stamps."""
    step, regular = step_of(pts)
    if step <= 0:
        return []
    steps = np.diff(pts) / step
    long = np.flatnonzero(steps > (1.75 if regular else 10.0))
    return [Gap(int(i), round(float(steps[i])) - 1) for i in long]


def stretches(bad: Sequence[float], starts: Sequence[float], end: float) -> list[tuple[float, float]]:
    """Times of damage as stretches: each lasts until decoding starts anew (`starts`) or the video ends."""
    found: list[tuple[float, float]] = []
    for time in sorted(bad):
        until = min((start for start in starts if start > time), default=max(time, end))
        if found and time <= found[-1][1] + TOGETHER:
            found[-1] = found[-1][0], max(until, found[-1][1])
        else:
            found.append((time, until))
    return found


def in_words(found: Sequence[tuple[float, float]]) -> str:
    """ "from 3.20 to 4.80 s, at 6.00 s and in 3 more places"."""
    named = [f"from {a:.2f} to {b:.2f} s" if b - a >= 0.01 else f"at {a:.2f} s" for a, b in found[:SHOWN]]
    more = len(found) - SHOWN
    return ", ".join(named) + (f" and in {more} more places" if more > 0 else "")
