"""`random`: a uniform draw over all tokens of all scales, the same on every machine and in any batch.

The draw of a frame depends on `seed` and on the frame's own pixels (a hash of every fourth one, at 8 bits),
never on the position in a batch or on how a video was cut into calls. Two identical frames are therefore
looked at in the same places. No global random state is read or changed.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autogaze.gaze import tokens_per_frame
from autogaze.selectors.base import Layout, ScoredSelector

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Random(ScoredSelector):
    """seed: another seed is another draw; a non-negative whole number."""

    seed: int = 0

    name: ClassVar[str] = "random"
    history: ClassVar[int | None] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed: {self.seed!r}, allowed: whole numbers from 0")

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """Uniform numbers in [0, 1) of 24 bits."""
        sample = (clips[..., ::4, ::4] * 255).round().clamp(0, 255).to(torch.uint8).flatten(2).cpu().numpy()
        seed = np.uint64(self.seed * 0xD1B54A32D192ED03 % 2**64)
        keys = _mix(_fingerprint(sample) + seed)
        words = _mix(keys[..., None] + _steps(tokens_per_frame()))
        uniform = (words >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
        return torch.from_numpy(uniform).to(clips.device)


def _fingerprint(pixels: npt.NDArray[np.uint8]) -> Words:
    """uint8 (B, T, n) -> uint64 (B, T): a weighted sum modulo 2^64, with odd pseudo-random weights."""
    weights = _mix(_steps(pixels.shape[-1])) | np.uint64(1)
    return np.stack([(clip.astype(np.uint64) * weights).sum(-1, dtype=np.uint64) for clip in pixels])


def _steps(count: int) -> Words:
    """1, 2, ... times the golden-ratio increment of splitmix64."""
    return np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def _mix(words: Words) -> Words:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
