"""Pictures of any size as the 224 px tiles that selectors take.

Example::

    tiling = Tiling.of(1008, 1792)                 # 5 rows x 8 columns, 112 px of padding at the bottom
    clips = tiling.split(frames)                   # uint8 (T, 1008, 1792, 3) -> float (40, T, 3, 224, 224)
    in [0, 1] selector.select(clips, ratio=0.1, valid=tiling.valid, layout=tiling.layout)
    frames = tiling.join(clips)                    # and back to uint8
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES
from hlvid.video.tiles import TileGrid

Picture = npt.NDArray[np.uint8]

TILE = SCALES[-1]


@dataclass(frozen=True)
class Tiling:
    """Tiles over a picture of `height` x `width` px; padding lies at the right and at the bottom.

    grid: the tiles of the padded picture.
    valid: bool (tiles, 265), False at tokens that show nothing but padding.
    """

    height: int
    width: int
    grid: TileGrid
    valid: Tensor

    @classmethod
    def of(cls, height: int, width: int) -> "Tiling":
        """The smallest tiling of a picture of this size."""
        rows, cols = math.ceil(height / TILE), math.ceil(width / TILE)
        grid = TileGrid.cover(rows * TILE, cols * TILE, TILE)
        return cls(height, width, grid, valid_tokens(rows, cols, height, width))

    @property
    def layout(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return self.grid.rows, self.grid.cols

    def pad(self, frames: Picture) -> Picture:
        """uint8 (T, height, width, 3) -> (T, rows * 224, columns * 224, 3), the edge repeated outwards."""
        below, right = self.grid.height - self.height, self.grid.width - self.width
        return np.pad(frames, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")

    def split(self, frames: Picture) -> Tensor:
        """uint8 (T, height, width, 3) -> float (tiles, T, 3, 224, 224) in [0, 1].

        The picture's last row and column are repeated into the padding: black there would make an edge that
        no camera saw, and selectors would look at it.
        """
        tiles = torch.from_numpy(self.grid.split(self.pad(frames)))
        return tiles.permute(0, 1, 4, 2, 3).to(torch.float32, memory_format=torch.contiguous_format).div_(255)

    def join(self, clips: Tensor) -> Picture:
        """float (tiles, T, 3, 224, 224) in [0, 1] -> uint8 (T, height, width, 3)."""
        pixels = (clips * 255).round_().clamp_(0, 255).to(torch.uint8).permute(0, 1, 3, 4, 2)
        picture = self.grid.join(pixels)[:, : self.height, : self.width].numpy()
        return np.ascontiguousarray(picture)

    def join_patches(self, mask: Tensor) -> npt.NDArray[np.bool_]:
        """One scale's patches, bool (tiles, T, g, g) -> bool (T, rows * g, columns * g), padding included."""
        tiles, T, g = mask.shape[0], mask.shape[1], mask.shape[-1]
        cells = mask.view(*self.layout, T, g, g).permute(2, 0, 3, 1, 4)
        return cells.reshape(T, self.layout[0] * g, self.layout[1] * g).numpy() if tiles else mask.numpy()


def valid_tokens(rows: int, cols: int, height: int, width: int) -> Tensor:
    """Bool (rows * cols, 265): True at tokens whose patch holds at least one pixel of the picture."""
    parts = []
    for scale in SCALES:
        side = scale // PATCH_SIZE
        top = torch.arange(rows * side) * (TILE // side) < height
        left = torch.arange(cols * side) * (TILE // side) < width
        inside = (top[:, None] & left[None, :]).view(rows, side, cols, side)
        parts.append(inside.permute(0, 2, 1, 3).reshape(rows * cols, side * side))
    return torch.cat(parts, dim=1)
