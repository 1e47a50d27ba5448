"""Training clips from folders of real videos: 224 px crops of every size, at several paces.

Decoding costs far more than cutting, so a stretch of a video is decoded once, at a moderate size, and gives
many clips: each a square of 60 to 100 % of the picture's short side or less, a stride of 1 to 8 frames,
forwards. A window shorter than the frames asked repeats its last one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from hlvid.video import Video
from hlvid.video.picture import Picture

SIZE = 224
SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v")
STRIDES = (1, 1, 2, 2, 3, 4, 6, 8)
WINDOW = 300
"""Frames decoded at a time; at `SHORT_SIDE` 16:9 they are about 250 MB."""

SHORT_SIDE = 400
SMALLEST = 160
"""Least side of a crop, px of the decoded size; smaller ones would be blown up to 224 px too far."""


def videos_in(folder: str | Path) -> list[Path]:
    """The videos of a folder and its subfolders, sorted. Raises ValueError where there are none."""
    root = Path(folder)
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise ValueError(f"videos: no file with suffix {', '.join(SUFFIXES)} under {root}")
    return found


@dataclass(frozen=True)
class Window:
    """Consecutive frames of a video: uint8 (N, H, W, 3)."""

    pictures: Picture

    @classmethod
    def read(
        cls, path: str | Path, seed: int, length: int = WINDOW, short_side: int = SHORT_SIDE
    ) -> "Window":
        """A stretch of the video, all of it where it is no longer than `length` frames.

        Raises hlvid's VideoError where the file cannot be read.
        """
        with Video.open(path) as video:
            spare = max(0, video.frame_count - length)
            start = int(np.random.default_rng([seed, 2]).integers(0, spare + 1))
            indices = range(start, min(start + length, video.frame_count))
            scale = min(1.0, short_side / min(video.height, video.width))
            size = (max(2, round(video.height * scale)), max(2, round(video.width * scale)))
            return cls(video.frames(indices, size))

    def clip(self, seed: int, frames: int, size: int = SIZE) -> Tensor:
        """A random cut, uint8 (frames, 3, size, size); the same for the same seed."""
        draw = np.random.default_rng([seed, 3])
        count, height, width = self.pictures.shape[:3]
        fitting = [stride for stride in STRIDES if (frames - 1) * stride < count] or [1]
        stride = int(draw.choice(fitting))
        start = int(draw.integers(0, max(1, count - (frames - 1) * stride)))
        short = min(height, width)
        side = int(draw.integers(min(SMALLEST, short), short + 1))
        top, left = (int(draw.integers(0, whole - side + 1)) for whole in (height, width))
        indices = [min(start + stride * t, count - 1) for t in range(frames)]
        return as_clip([self.pictures[i, top : top + side, left : left + side] for i in indices], size)


def as_clip(pictures: Sequence[Picture], size: int = SIZE) -> Tensor:
    """Square pictures uint8 (S, S, 3) of any side -> uint8 (T, 3, size, size)."""
    shrinks = pictures[0].shape[0] > size
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    shown = np.stack([cv2.resize(picture, (size, size), interpolation=how) for picture in pictures])
    return torch.from_numpy(np.ascontiguousarray(shown.transpose(0, 3, 1, 2)))
