"""Token shuffle: nine neighbouring visual tokens become one wide token, frame by frame.

>>> counts = torch.tensor([10, 3])                     # two frames with 10 and 3 gazed tokens
>>> shuffle_index(counts, 9)[:, 0]                     # rows start at 0, 9, 10: the 10th stands nine times
tensor([ 0,  9, 10])
>>> shuffled_counts(counts, 9)
tensor([2, 1])

Groups never mix; where a group's tokens are no multiple of nine, the last one is repeated. What a group is, the
published model decides thus: of tiles a time step, all tiles of the frame one after another (`by_time`); of
thumbnails each for itself.
"""

import torch
from torch import Tensor


def shuffled_counts(counts: Tensor, width: int) -> Tensor:
    """Wide tokens that groups of `counts` (long, any shape) tokens become: rounded up; 0 stays 0."""
    return (counts + width - 1) // width


def shuffle_index(counts: Tensor, width: int) -> Tensor:
    """Long (L, width): which tokens stand side by side in each wide token; counts long (groups,)."""
    rows = shuffled_counts(counts, width)
    group = torch.arange(len(counts), device=counts.device).repeat_interleave(rows)
    before = rows.cumsum(0) - rows
    row = torch.arange(len(group), device=counts.device) - before[group]
    place = row[:, None] * width + torch.arange(width, device=counts.device)
    place = torch.minimum(place, counts[group, None] - 1)
    start = counts.cumsum(0) - counts
    return start[group, None] + place


def by_time(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens packed clip by clip, regrouped by time step: counts long (clips, T) -> order (M,), counts (T,).

    `features[order]` has all clips' tokens of the first step, clip after clip, then those of the second one.
    """
    steps = torch.arange(counts.shape[1], device=counts.device).expand_as(counts)
    order = steps.flatten().repeat_interleave(counts.flatten()).argsort(stable=True)
    return order, counts.sum(0)


def shuffle(features: Tensor, counts: Tensor, width: int) -> Tensor:
    """Features (M, C), ordered by clip and frame; counts long (groups,), summing to M -> (L, width * C)."""
    if int(counts.sum()) != len(features):
        raise ValueError(f"counts: sum {int(counts.sum())}, expected the {len(features)} features given")
    return features[shuffle_index(counts.to(features.device), width)].flatten(1)
