"""`centre`: the patches nearest to the middle of the picture, where people tend to point cameras."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.pyramid import tokens, unstitch


@dataclass(frozen=True)
class Centre(ScoredSelector):
    """Scores a token by the closeness of its middle to the picture's; padding counts as picture."""

    name: ClassVar[str] = "centre"
    history: ClassVar[int | None] = 0

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """Minus the distance in tiles."""
        B, T = clips.shape[:2]
        shared = layout if self.budget == "picture" else None
        rows, cols = shared or (1, 1)
        grids = []
        for side in grid_sides(SCALES, PATCH_SIZE):
            y = (torch.arange(rows * side, device=clips.device) + 0.5) / side - rows / 2
            x = (torch.arange(cols * side, device=clips.device) + 0.5) / side - cols / 2
            near = -torch.hypot(y[:, None], x[None, :])
            tiles = unstitch(near[None, None], shared)
            grids.append(tiles.repeat(B // (rows * cols), T, 1, 1))
        return tokens(grids)
