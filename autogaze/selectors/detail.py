"""`detail`: sharp patches where there is fine structure, coarse ones for the rest; no network needed.

Energy is the variance of the Laplacian (kernel 0 1 0 / 1 -4 1 / 0 1 0) of the luma in a patch, at every
scale. Shares of a picture's budget go to the coarse scales, where a token shows 4 to 49 times the area: an
overview first, and large lettering for little. The rest goes to the finest scale. Two things there serve
the reading of text:

- Energy is multiplied with that of the 112 px scale (and the root taken): strokes survive halving, grain
  does not.
- A patch counts for a part of its best neighbour's energy, at 64 px and finer, so that a word is seen
  whole, with its first and last letter, and not as scattered strokes.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.budget import top
from autogaze.selectors.pyramid import at_scale, luma, patch_mean, stitch, tokens, unstitch

COARSE_SHARES = (0.16, 0.12, 0.25)
"""Of a frame's budget, for scales 32, 64 and 112. What one scale cannot use goes to the others."""


@dataclass(frozen=True)
class Detail(ScoredSelector):
    """spread: the part of a neighbour's energy that a patch inherits, in [0, 1]; 0: peaks alone."""

    spread: float = 0.5

    name: ClassVar[str] = "detail"
    history: ClassVar[int | None] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.spread <= 1:
            raise ValueError(f"spread: {self.spread}, allowed: numbers in [0, 1]")

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """See the module; Laplacians reach across tile borders where a layout is given."""
        picture = stitch(luma(clips), layout)
        grids = [laplacian_variance(at_scale(picture, scale)) for scale in SCALES]
        wide = F.interpolate(grids[-2], scale_factor=2, mode="nearest")
        grids[-1] = (grids[-1] * wide).sqrt()
        for s in range(1, len(SCALES)):
            near = F.max_pool2d(grids[s], 3, stride=1, padding=1)
            grids[s] = torch.maximum(grids[s], self.spread * near)
        return tokens([unstitch(grid, layout) for grid in grids])

    def choose(self, scores: Tensor, wanted: Tensor, valid: Tensor) -> Tensor:
        """The best tokens of every scale, each scale in its share."""
        scale_of = _scale_of_tokens(scores.device).repeat(scores.shape[-1] // _TOKENS)
        there = torch.stack([(valid & (scale_of == s)).sum(-1) for s in range(len(SCALES))], -1)
        chosen = torch.zeros_like(scores, dtype=torch.bool)
        for s, count in enumerate(split_budget(wanted, there)):
            chosen |= top(scores, count, valid & (scale_of == s))
        return chosen


def laplacian_variance(picture: Tensor) -> Tensor:
    """Float (G, T, H, W) -> (G, T, H / 16, W / 16); the picture's edge is repeated outwards."""
    p = F.pad(picture.float(), (1, 1, 1, 1), mode="replicate")  # torch 2.5 pads no float16 on a CPU
    edges = p[..., :-2, 1:-1] + p[..., 2:, 1:-1] + p[..., 1:-1, :-2] + p[..., 1:-1, 2:] - 4 * picture
    mean, square = patch_mean(edges), patch_mean(edges.square())
    return (square - mean.square()).clamp_min(0)


def split_budget(wanted: Tensor, there: Tensor) -> list[Tensor]:
    """`wanted` (long (G, T)) divided among the scales: long (G, T) each, summing to it.

    there: long (G, scales), the valid tokens of each scale; no scale is given more than that.
    """
    limits = [there[:, s, None].expand_as(wanted) for s in range(len(SCALES))]
    shares = [
        torch.minimum((wanted * share).long(), limit)
        for share, limit in zip(COARSE_SHARES, limits, strict=False)
    ]
    parts = [*shares, torch.zeros_like(wanted)]
    for s in reversed(range(len(SCALES))):  # what is left: the finest scale first
        left = wanted - torch.stack(parts).sum(0)
        parts[s] = torch.minimum(parts[s] + left, limits[s])
    return parts


_TOKENS = sum(side * side for side in grid_sides(SCALES, PATCH_SIZE))


def _scale_of_tokens(device: torch.device) -> Tensor:
    """Long (265,): the index of each token's scale."""
    sides = torch.tensor([side * side for side in grid_sides(SCALES, PATCH_SIZE)], device=device)
    return torch.arange(len(SCALES), device=device).repeat_interleave(sides)
