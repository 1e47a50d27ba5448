"""Random numbers that are the same on every machine and with every library version.

numpy and the standard library reserve the right to change their streams; pixels and questions of HLVid-Mini
must not. So both kinds of chance here are splitmix64 on integers, seeded by the SHA-256 of a name::

    stream = Stream(0, "clip_av_video_0_000.mp4", "colours")
    stream.below(6)             # 0..5
    noise(7, 4, 5)              # uint8 (4, 5), the same everywhere
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


def seed_of(*names: object) -> int:
    """64 bits that stand for these names (numbers or texts); different names give unrelated seeds."""
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    return int.from_bytes(digest[:8], "little")


class Stream:
    """A sequence of random choices, named by what it is for."""

    def __init__(self, *names: object) -> None:
        self._state = seed_of(*names)

    def bits(self) -> int:
        """The next 64 random bits (splitmix64)."""
        self._state = (self._state + _STEP) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, count: int) -> int:
        """An integer in 0..count-1."""
        return self.bits() * count >> 64

    def uniform(self, low: float, high: float) -> float:
        """A float in [low, high)."""
        return low + (high - low) * (self.bits() >> 11) / (1 << 53)

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """All items in random order (Fisher-Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result


def noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """White noise, uint8 (height, width): splitmix64 of the pixel's number."""
    z = (np.arange(height * width, dtype=np.uint64) + np.uint64(1)) * np.uint64(_STEP)
    z += np.uint64(seed & _MASK)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z >> np.uint64(56)) & np.uint64(255)).astype(np.uint8).reshape(height, width)
