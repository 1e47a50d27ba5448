"""One second of real, decoded video at a stated frame rate and resolution, as square tiles.

The footage is resized to a square of resolution x resolution, rounded to whole tiles, as the paper's resolutions count
tiles. Where the file has fewer frames in a second than asked, frames that follow are taken: the work is the same.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from autogaze.nvila.settings import CLIP_FRAMES
from hlvid.errors import RunError
from hlvid.video import Video


@dataclass(frozen=True)
class Footage:
    """frames: uint8 (T, S, S, 3). across: tiles in a row. tile: px. decode_s: seconds of reading and resizing."""

    frames: Tensor
    across: int
    tile: int
    decode_s: float

    @classmethod
    def decode(cls, path: Path, fps: int, resolution: int, tile: int) -> "Footage":
        """Raises RunError for a footage of fewer than `fps` frames, VideoError for one that cannot be read."""
        across = max(1, round(resolution / tile))
        side = across * tile
        started = time.perf_counter()
        with Video.open(path) as video:
            if video.frame_count < fps:
                raise RunError(
                    f"{path}: {video.frame_count} frames, {fps} FPS need as many; choose a longer video"
                )
            step = max(1, int(video.fps / fps))
            last = (fps - 1) * min(step, (video.frame_count - 1) // max(fps - 1, 1))
            indices = torch.linspace(0, last, fps).long().tolist()
            frames = torch.from_numpy(video.frames(indices, (side, side)))
        return cls(frames, across, tile, time.perf_counter() - started)

    @property
    def tiles(self) -> int:
        """Of one frame."""
        return self.across**2

    def clips(self, batch: int, device: torch.device | str) -> Iterator[Tensor]:
        """All tiles of every 16 frames (the last may be fewer), `batch` at a time."""
        for start in range(0, len(self.frames), CLIP_FRAMES):
            chunk = self.frames[start : start + CLIP_FRAMES]
            T, n, s = len(chunk), self.across, self.tile
            tiles = chunk.view(T, n, s, n, s, 3).permute(1, 3, 0, 5, 2, 4).flatten(0, 1)
            for part in torch.split(tiles, batch):
                yield part.to(device).float() / 255
