"""Exact accounting: how many tokens a picture may have, and taking the best of them.

>>> allowance(0.1, frames=2, valid=torch.ones(1, 265, dtype=torch.bool))
tensor([[26, 26]])
"""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

Budget = Literal["tile", "picture", "frame"]
"""Who shares tokens: nobody (every tile has its own), the tiles of a frame, or these and the frames gazed together."""


def check_budget(budget: str) -> None:
    """Raises ValueError for anything else."""
    if budget not in get_args(Budget):
        raise ValueError(f"budget: {budget!r}; allowed: {', '.join(map(repr, get_args(Budget)))}")


def allowance(ratio: float | Sequence[float] | None, frames: int, valid: Tensor) -> Tensor:
    """Long (G, T): tokens allowed to each of G pictures in each frame, `max(1, int(ratio * valid tokens))`.

    ratio: one number in (0, 1], or one a frame. valid: bool (G, N). A picture without valid tokens gets none.
    Raises ValueError for anything else.
    """
    if ratio is None:
        raise ValueError("ratio: None; give a number in (0, 1], or one a frame")
    ratios = list(ratio) if isinstance(ratio, Sequence) else [ratio] * frames
    if len(ratios) != frames:
        raise ValueError(f"ratio: {len(ratios)} numbers, expected {frames}, one a frame")
    for value in ratios:
        if not (math.isfinite(value) and 0 < value <= 1):
            raise ValueError(f"ratio: {value}, allowed: numbers in (0, 1]")
    counts = [[min(n, max(1, int(r * n))) for r in ratios] for n in valid.sum(-1).tolist()]
    return torch.tensor(counts, dtype=torch.long, device=valid.device).view(len(valid), frames)


def top(scores: Tensor, wanted: Tensor, valid: Tensor) -> Tensor:
    """Bool (G, T, N): True at the `wanted` highest scores among the valid tokens.

    scores: float (G, T, N). wanted: long (G, T). valid: bool (G, N).
    Deterministic: of equal scores the one that comes first wins. Never takes more than there are.
    """
    ranked = scores.masked_fill(~valid[:, None], -torch.inf).argsort(dim=-1, descending=True, stable=True)
    wanted = torch.minimum(wanted, valid.sum(-1, keepdim=True))
    taken = torch.arange(scores.shape[-1], device=scores.device) < wanted[..., None]
    return torch.zeros_like(taken).scatter_(-1, ranked, taken)
