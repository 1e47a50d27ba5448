"""What every method returns, what is asked of it, and how many tokens a share is."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Reduction:
    """What is asked: a method's name and the share of tokens to keep, in (0, 1]."""

    name: str
    keep: float


@dataclass(frozen=True)
class Reduced:
    """The tokens that go on, ordered by frame, row, column.

    tokens: (N, C). positions: float (N, 3), frame, row and column, means of what was merged. sizes: float (N,), how
    many of the T * H * W tokens each stands for; those thrown away are in none.
    """

    tokens: Tensor
    positions: Tensor
    sizes: Tensor

    @classmethod
    def of(cls, features: Tensor, chosen: Tensor) -> Self:
        """The chosen tokens as they are: features (T, H, W, C), chosen bool (T, H, W)."""
        places = chosen.nonzero()
        return cls(features[chosen], places.float(), torch.ones(len(places), device=features.device))

    @classmethod
    def sorted(cls, tokens: Tensor, positions: Tensor, sizes: Tensor) -> Self:
        """In the order of frame, row, column."""
        order = torch.arange(len(tokens), device=tokens.device)
        for axis in (2, 1, 0):  # stable, so the last one counts most
            order = order[positions[order, axis].argsort(stable=True)]
        return cls(tokens[order], positions[order], sizes[order])

    def counts(self) -> Tensor:
        """Tokens of each frame that has any, in order of frames: long (groups,), summing to N."""
        counts: Tensor = torch.unique_consecutive(self.positions[:, 0].floor(), return_counts=True)[1]
        return counts


def target(tokens: int, keep: float) -> int:
    """How many tokens a share is; at least one."""
    return max(1, round(tokens * keep))


def places(features: Tensor) -> Tensor:
    """Frame, row and column of every token of (T, H, W, C): float (T * H * W, 3)."""
    axes = [torch.arange(size, device=features.device) for size in features.shape[:3]]
    return torch.cartesian_prod(*axes).float()
