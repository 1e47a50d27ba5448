"""`coarse_first`: the coarsest scale whole, then the next, at random within a scale; never looks at the picture.

An overview is worth so much that, judged by reconstruction, this beats selectors that look but know one scale.
What a selector has learned about pictures is what it does better than this one.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from autogaze.gaze import grid_sides
from autogaze.selectors.base import Layout
from autogaze.selectors.random import Random


@dataclass(frozen=True)
class CoarseFirst(Random):
    """seed: another seed is another draw within a scale; a non-negative whole number."""

    name: ClassVar[str] = "coarse_first"

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """As `random`, plus 3 for the coarsest scale down to 0 for the finest."""
        sides = grid_sides()
        ranks = [torch.full((side * side,), float(len(sides) - 1 - k)) for k, side in enumerate(sides)]
        return super().scores(clips, layout) + torch.cat(ranks).to(clips.device)
