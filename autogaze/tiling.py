"""Pictures of any size as the 224 px tiles that selectors take: the one tiling of the project.

>>> tiling = Tiling.of(1008, 1792)                     # 112 px of padding at the bottom
>>> tiling.layout
(5, 8)
>>> tiling.split(np.zeros((2, 1008, 1792, 3), np.uint8)).shape
torch.Size([40, 2, 3, 224, 224])
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES

Picture = npt.NDArray[np.uint8]

TILE = SCALES[-1]


@dataclass(frozen=True)
class Tiling:
    """Tiles, row by row, over a picture of `height` x `width` px; padding lies at the right and at the bottom.

    valid: bool (tiles, 265), False at tokens that show nothing but padding.
    """

    height: int
    width: int
    rows: int
    columns: int
    valid: Tensor

    @classmethod
    def of(cls, height: int, width: int) -> "Tiling":
        """The smallest tiling of a picture of this size."""
        rows, columns = -(-height // TILE), -(-width // TILE)
        return cls(height, width, rows, columns, _valid(rows, columns, height, width))

    @property
    def layout(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return self.rows, self.columns

    @property
    def count(self) -> int:
        return self.rows * self.columns

    def boxes(self) -> Tensor:
        """Float (tiles, 4): left, top, right, bottom of every tile in pixels of the padded picture."""
        top, left = torch.meshgrid(
            torch.arange(self.rows) * TILE, torch.arange(self.columns) * TILE, indexing="ij"
        )
        corner = torch.stack([left, top], -1).view(-1, 2).float()
        return torch.cat([corner, corner + TILE], 1)

    def pad(self, frames: Picture) -> Picture:
        """uint8 (T, height, width, 3) -> (T, rows * 224, columns * 224, 3), the edge repeated outwards."""
        below, right = self.rows * TILE - self.height, self.columns * TILE - self.width
        return np.pad(frames, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")

    def split(self, frames: Picture | Tensor) -> Tensor:
        """uint8 (T, height, width, 3) -> float (tiles, T, 3, 224, 224) in [0, 1], on the device of `frames`.

        The picture's last row and column are repeated into the padding: black there would make an edge that
        no camera saw, and selectors would look at it.
        """
        given = torch.as_tensor(frames)
        down = torch.arange(self.rows * TILE, device=given.device).clamp(max=self.height - 1)
        right = torch.arange(self.columns * TILE, device=given.device).clamp(max=self.width - 1)
        padded = given if (len(down), len(right)) == given.shape[1:3] else given[:, down][:, :, right]
        grid = padded.view(len(given), self.rows, TILE, self.columns, TILE, 3).permute(1, 3, 0, 5, 2, 4)
        pixels = torch.empty(grid.shape, device=given.device).copy_(grid)
        return pixels.view(self.count, len(given), 3, TILE, TILE).div_(255)

    def lay(self, tiles: Tensor) -> Tensor:
        """Tiles (tiles, T, C, 224, 224) laid out as pictures (T, C, height, width)."""
        _, T, C, side, _ = tiles.shape
        grid = tiles.view(self.rows, self.columns, T, C, side, side).permute(2, 3, 0, 4, 1, 5)
        whole = grid.reshape(T, C, self.rows * side, self.columns * side)
        return whole[..., : self.height, : self.width]

    def join(self, clips: Tensor) -> Picture:
        """float (tiles, T, 3, 224, 224) in [0, 1] -> uint8 (T, height, width, 3)."""
        pixels = (clips * 255).round_().clamp_(0, 255).to(torch.uint8)
        return np.ascontiguousarray(self.lay(pixels).permute(0, 2, 3, 1).numpy())

    def join_patches(self, mask: Tensor) -> npt.NDArray[np.bool_]:
        """One scale's patches, bool (tiles, T, g, g) -> bool (T, rows * g, columns * g), padding included."""
        tiles, T, g = mask.shape[0], mask.shape[1], mask.shape[-1]
        cells = mask.view(*self.layout, T, g, g).permute(2, 0, 3, 1, 4)
        return cells.reshape(T, self.rows * g, self.columns * g).numpy() if tiles else mask.numpy()


def _valid(rows: int, columns: int, height: int, width: int) -> Tensor:
    """Bool (rows * columns, 265): True at tokens whose patch holds at least one pixel of the picture."""
    parts = []
    for scale in SCALES:
        side = scale // PATCH_SIZE
        top = torch.arange(rows * side) * (TILE // side) < height
        left = torch.arange(columns * side) * (TILE // side) < width
        inside = (top[:, None] & left[None, :]).view(rows, side, columns, side)
        parts.append(inside.permute(0, 2, 1, 3).reshape(rows * columns, side * side))
    return torch.cat(parts, dim=1)
