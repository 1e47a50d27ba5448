"""`rgb_diff`: patches that changed most since the frame before, the paper's simplest baseline.

The first frame is compared with a blank (black) one, so there the brightest patches win.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from autogaze.gaze import SCALES
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.pyramid import at_scale, patch_mean, tokens


@dataclass(frozen=True)
class RgbDiff(ScoredSelector):
    """Scores a token by the mean absolute RGB change that its scale shows in its patch."""

    name: ClassVar[str] = "rgb_diff"
    history: ClassVar[int | None] = 1

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """Mean over the patch and the three channels, in [0, 1]."""
        before = torch.cat([torch.zeros_like(clips[:, :1]), clips[:, :-1]], dim=1)
        change = (clips - before).flatten(0, 1)
        grids = [patch_mean(at_scale(change, scale).abs().mean(1, keepdim=True)) for scale in SCALES]
        return tokens([grid.view(*clips.shape[:2], *grid.shape[-2:]) for grid in grids])
