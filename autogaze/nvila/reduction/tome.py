"""ToMe: the most similar tokens are merged, again and again, until few enough are left.

Source: Bolya et al., "Token Merging: Your ViT But Faster" (arXiv 2210.09461): bipartite soft matching. Tokens are
dealt in turn to two sets; every token of the first set finds its most similar one in the second; the r most similar
pairs are merged to means weighted by how many tokens each stands for. The paper merges inside every layer of the
ViT and compares keys; here whole frames come out of an unchanged encoder and its features are compared (cosine), so
the encoder saves nothing. A round merges at most half of the tokens.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.nvila.reduction.reduced import Reduced, places, target


def tome(features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """Frame by frame; the frames' shares differ by one where they do not divide."""
    T, H, W, C = features.shape
    where = places(features).view(T, H * W, 3)
    goals = shares(target(T * H * W, keep), T)
    parts = [
        _merge(torch.cat([frame.flatten(0, 1).float(), where[t]], dim=-1), max(1, goals[t]))
        for t, frame in enumerate(features)
    ]
    merged = torch.cat([part[0] for part in parts])
    sizes = torch.cat([part[1] for part in parts])
    return Reduced.sorted(merged[:, :C].to(features.dtype), merged[:, C:], sizes)


def shares(total: int, groups: int) -> list[int]:
    """`total` in nearly equal whole parts."""
    return [total * (group + 1) // groups - total * group // groups for group in range(groups)]


def _merge(rows: Tensor, goal: int) -> tuple[Tensor, Tensor]:
    """Rows (M, C + 3) with their places behind -> (goal, C + 3), and how many rows each stands for."""
    sizes = torch.ones(len(rows), device=rows.device)
    while len(rows) > goal:
        rows, sizes = match(rows, sizes, min(len(rows) - goal, len(rows) // 2))
    return rows, sizes


def match(rows: Tensor, sizes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """One round: `count` rows of even number go into rows of odd number; the last three columns are no features."""
    unit = F.normalize(rows[:, :-3], dim=-1)
    best, partner = (unit[::2] @ unit[1::2].T).max(dim=-1)
    order = best.argsort(descending=True, stable=True)
    gone, stay = order[:count], order[count:].sort().values
    weighted = rows * sizes[:, None]
    into, totals = weighted[1::2].clone(), sizes[1::2].clone()
    into.index_add_(0, partner[gone], weighted[::2][gone])
    totals.index_add_(0, partner[gone], sizes[::2][gone])
    return torch.cat([rows[::2][stay], into / totals[:, None]]), torch.cat([sizes[::2][stay], totals])
