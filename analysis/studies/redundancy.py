"""How much of a video has to be looked at, by frame rate and resolution: one second, gazed tile by tile.

Example::

    measure(selector, files, seed=0)     # video, cluster, fps, resolution, asked, ratio, loss

Resolution is that of a square (224, 448, 896, 1792 px), cut from the middle of the frame at full height and
scaled; cells that a video has too few frames or pixels for are left out. Of a large square's tiles a few are
drawn, the same ones for every frame rate: each tile is gazed at by itself, so they stand for all.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from analysis.studies.clips import centre, fit
from analysis.studies.losses import curve
from analysis.studies.scenes import SIDE, Pictures
from autogaze.selectors.base import Selector
from hlvid.video import Video

if TYPE_CHECKING:
    import pandas as pd

FPS = (1, 3, 10, 30)
RESOLUTIONS = (224, 448, 896, 1792)
RATIOS = (0.02, 0.05, 0.12, 0.3)
TILES = 2
LONGEST = 16  # frames that a selector takes at once


def measure(selector: Selector, files: Sequence[Path], seed: int = 0) -> "pd.DataFrame":
    """See the module; one row a video, cell and ratio."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for path in tqdm(files, desc="redundancy", leave=False):
        with Video.open(path) as video:
            pictures, rate = _second(video)
        for resolution in RESOLUTIONS:
            if resolution > pictures.shape[1]:
                continue
            tiles = _tiles(pictures, resolution, seed)
            for fps, frames in _rates(tiles, rate):
                cell = {"video": path.name, "cluster": path.stem, "fps": fps, "resolution": resolution}
                rows += [cell | one for one in _curve(selector, frames)]
    return pd.DataFrame(rows)


def _second(video: Video) -> tuple[Pictures, float]:
    """All frames of a second from the middle, square, at most 1792 px: uint8 (T, S, S, 3), and their rate."""
    count = max(1, min(video.frame_count, round(video.fps)))
    first = (video.frame_count - count) // 2
    side = min(RESOLUTIONS[-1], video.height, video.width)
    size = fit(video.height, video.width, side)
    frames = [centre(one[None], side)[0] for _, one in video.stream(range(first, first + count), size)]
    return np.stack(frames), video.fps


def _tiles(pictures: Pictures, resolution: int, seed: int) -> Tensor:
    """Up to two tiles of the square at this resolution: uint8 (tiles, T, 3, 224, 224)."""
    import cv2

    across = resolution // SIDE
    small = np.stack(
        [cv2.resize(p, (resolution, resolution), interpolation=cv2.INTER_AREA) for p in pictures]
    )
    chosen = np.random.default_rng(seed).permutation(across * across)[:TILES]
    cells = small.reshape(len(small), across, SIDE, across, SIDE, 3).transpose(1, 3, 0, 5, 2, 4)
    return torch.from_numpy(np.ascontiguousarray(cells.reshape(-1, *cells.shape[2:])[np.sort(chosen)]))


def _rates(tiles: Tensor, rate: float) -> Iterator[tuple[int, Tensor]]:
    """The frame rates that the video has, with their frames."""
    for fps in FPS:
        if fps <= rate * 1.05 and tiles.shape[1] >= fps * 0.95:
            indices = [min(tiles.shape[1] - 1, int(k * rate / fps)) for k in range(fps)]
            yield fps, tiles[:, indices]


def _curve(selector: Selector, frames: Tensor) -> list[dict[str, Any]]:
    """Loss against ratio of (tiles, T, 3, 224, 224); longer than 16 frames, the mean over its chunks."""
    parts = [curve(selector, part.float() / 255, RATIOS) for part in torch.split(frames, LONGEST, dim=1)]
    weights = np.array([part.shape[1] for part in torch.split(frames, LONGEST, dim=1)], float)
    joined = []
    for rows in zip(*parts, strict=True):
        mean = {key: float(np.average([r[key] for r in rows], weights=weights)) for key in ("ratio", "loss")}
        joined.append({"asked": rows[0]["asked"]} | mean)
    return joined
