"""FastVID-style: the video is cut where frames change, and in each piece salient tokens stay, dense ones are merged.

Source: Shen et al., "FastVID: Dynamic Density Pruning for Fast Video Large Language Models" (arXiv 2503.11187).
Dynamic temporal segmentation: a cut between neighbouring frames whose mean features' cosine is below `THRESHOLD`,
and at the least similar ones until there are `SEGMENTS`. In each piece, which gets its share of the budget, a part
`SALIENT` goes to the tokens with the highest scores; the rest are anchors, chosen by density peaks (Rodriguez and
Laio, Science 2014: local density times the distance to anything denser) among every `STEP`-th frame, into which the
other tokens are averaged. "Style", since the paper takes scores of SigLIP's pooling head and weighs an anchor
against what is merged into it; here scores are the caller's and means are plain.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.nvila.reduction.pruning import highest
from autogaze.nvila.reduction.reduced import Reduced, places, target
from autogaze.nvila.reduction.tome import shares
from autogaze.nvila.reduction.visionzip import merge_into

THRESHOLD = 0.9
SEGMENTS = 8
SALIENT = 0.6
STEP = 4
NEIGHBOURS = 4


def fastvid(features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """Piece by piece of the clip."""
    assert scores is not None  # `reduce` has seen it
    T, H, W, _ = features.shape
    where = places(features).view(T, H * W, 3)
    each = shares(target(T * H * W, keep), T)
    parts = []
    for first, last in pairwise(segments(features)):
        rows, around = features[first:last].flatten(0, 2), where[first:last].flatten(0, 1)
        parts.append(_piece(rows, around, scores[first:last].flatten(), max(1, sum(each[first:last]))))
    tokens, positions, sizes = (torch.cat(column) for column in zip(*parts, strict=True))
    return Reduced.sorted(tokens, positions, sizes)


def segments(features: Tensor) -> list[int]:
    """Where pieces begin, and the number of frames: [0, 5, 16]."""
    T = len(features)
    if T == 1:
        return [0, 1]
    frames = F.normalize(features.float().mean(dim=(1, 2)), dim=-1)
    alike = (frames[1:] * frames[:-1]).sum(-1)
    cut = alike < THRESHOLD
    cut[alike.argsort(stable=True)[: min(SEGMENTS, T) - 1]] = True
    return [0, *(int(frame) + 1 for frame in cut.nonzero().flatten()), T]


def _piece(rows: Tensor, where: Tensor, scores: Tensor, goal: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of one piece: tokens, positions, sizes."""
    salient = goal if goal == len(rows) else max(1, round(goal * SALIENT))
    chosen = highest(scores, salient)
    ones = torch.ones(salient, device=rows.device)
    if salient == goal:
        return rows[chosen], where[chosen], ones
    rest, around = rows[~chosen], where[~chosen]
    frame = around[:, 0] - around[0, 0]
    pool = (frame % STEP == 0).nonzero().flatten()
    if len(pool) < goal - salient:
        pool = torch.arange(len(rest), device=rows.device)
    anchors = pool[density_peaks(rest[pool], goal - salient)]
    merged, centres, sizes = merge_into(rest, around, anchors)
    return torch.cat([rows[chosen], merged]), torch.cat([where[chosen], centres]), torch.cat([ones, sizes])


def density_peaks(rows: Tensor, count: int) -> Tensor:
    """Long (count,), ascending: the rows with the highest density times distance to a denser row.

    Density is exp(-mean squared distance to the nearest neighbours); of equally dense rows the earlier is the denser.
    """
    distance = torch.cdist(F.normalize(rows.float(), dim=-1), F.normalize(rows.float(), dim=-1))
    near = distance.topk(min(NEIGHBOURS + 1, len(rows)), largest=False).values[:, 1:]
    density = (-near.square().mean(-1)).exp() if near.shape[1] else torch.ones(len(rows), device=rows.device)
    index = torch.arange(len(rows), device=rows.device)
    denser = (density[None] > density[:, None]) | (
        (density[None] == density[:, None]) & (index[None] < index[:, None])
    )
    to_denser = distance.masked_fill(~denser, float("inf")).min(-1).values
    to_denser = torch.where(denser.any(-1), to_denser, distance.max(-1).values)
    return (density * to_denser).argsort(descending=True, stable=True)[:count].sort().values
