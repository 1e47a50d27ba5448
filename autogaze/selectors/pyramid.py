"""From maps of pixels to values of tokens: a tile at its scales, tiles laid together and taken apart."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES


def luma(clips: Tensor) -> Tensor:
    """(B, T, 3, H, W) RGB -> (B, T, H, W), ITU-R BT.601 weights."""
    red, green, blue = clips.unbind(2)
    return red * 0.299 + green * 0.587 + blue * 0.114


def stitch(maps: Tensor, layout: tuple[int, int] | None) -> Tensor:
    """(G * rows * columns, T, h, w) -> (G, T, rows * h, columns * w); without layout the maps as they are."""
    if layout is None:
        return maps
    (rows, cols), (T, h, w) = layout, maps.shape[1:]
    cells = maps.reshape(-1, rows, cols, T, h, w)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(-1, T, rows * h, cols * w)


def unstitch(picture: Tensor, layout: tuple[int, int] | None) -> Tensor:
    """The inverse of `stitch`."""
    if layout is None:
        return picture
    (rows, cols), (G, T, H, W) = layout, picture.shape
    cells = picture.reshape(G, T, rows, H // rows, cols, W // cols)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(G * rows * cols, T, H // rows, W // cols)


def at_scale(maps: Tensor, scale: int) -> Tensor:
    """(..., H, W) as a scale shows it: area-averaged, `scale / 224` of the size."""
    h, w = (side * scale // SCALES[-1] for side in maps.shape[-2:])
    return maps if scale == SCALES[-1] else F.adaptive_avg_pool2d(maps, (h, w))


def patch_mean(maps: Tensor, patch: int = PATCH_SIZE) -> Tensor:
    """(..., H, W) -> (..., H / 16, W / 16): the mean in each patch."""
    return F.avg_pool2d(maps, patch)


def tokens(grids: Sequence[Tensor]) -> Tensor:
    """One (B, T, g, g) a scale, coarse first -> (B, T, 265), the order of the vocabulary."""
    return torch.cat([grid.flatten(-2) for grid in grids], dim=-1)
