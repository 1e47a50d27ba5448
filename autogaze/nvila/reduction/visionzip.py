"""VisionZip: the tokens that the encoder attends to most stay, the others are merged into a few contextual ones.

Source: Yang et al., "VisionZip: Longer is Better but Not Necessary in Vision Language Models" (arXiv 2412.04467):
per frame, dominant tokens by attention (of the class token in CLIP, the mean over all tokens where there is none, as
in SigLIP), and contextual tokens: of the remaining ones, evenly spaced targets, to which every other one is assigned
by similarity and averaged. Dominant to contextual is 54 to 10, the paper's ratio for 64 tokens. The paper compares
keys of the encoder, here its features are compared (cosine).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.nvila.reduction.pruning import highest
from autogaze.nvila.reduction.reduced import Reduced, places, target

DOMINANT = 54 / 64


def visionzip(features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """Frame by frame, the same number from each, at least one."""
    assert scores is not None  # `reduce` has seen it
    T, H, W, _ = features.shape
    goal = target(H * W, keep)
    where = places(features).view(T, H * W, 3)
    parts = [_zip(features[t].flatten(0, 1), where[t], scores[t].flatten(), goal) for t in range(T)]
    tokens, positions, sizes = (torch.cat(column) for column in zip(*parts, strict=True))
    return Reduced.sorted(tokens, positions, sizes)


def _zip(rows: Tensor, where: Tensor, scores: Tensor, goal: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of one frame: tokens, positions, sizes."""
    dominant = goal if goal == len(rows) else max(1, round(goal * DOMINANT))
    chosen = highest(scores, dominant)
    ones = torch.ones(dominant, device=rows.device)
    if dominant == goal:
        return rows[chosen], where[chosen], ones
    rest, around = rows[~chosen], where[~chosen]
    anchors = torch.arange(goal - dominant, device=rows.device) * len(rest) // (goal - dominant)
    merged, centres, sizes = merge_into(rest, around, anchors)
    return torch.cat([rows[chosen], merged]), torch.cat([where[chosen], centres]), torch.cat([ones, sizes])


def merge_into(rows: Tensor, where: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Every row into the mean of the anchor most similar to it; an anchor into its own.

    rows (M, C); where (M, 3); anchors long (K,), different rows. Returns (K, C), (K, 3), and sizes (K,).
    """
    unit = F.normalize(rows.float(), dim=-1)
    nearest = (unit @ unit[anchors].T).argmax(dim=-1)
    nearest[anchors] = torch.arange(len(anchors), device=rows.device)
    sizes = torch.bincount(nearest, minlength=len(anchors)).float()

    def mean(values: Tensor) -> Tensor:
        total = torch.zeros(len(anchors), values.shape[1], device=rows.device)
        return total.index_add_(0, nearest, values.float()) / sizes[:, None]

    return mean(rows).to(rows.dtype), mean(where), sizes
