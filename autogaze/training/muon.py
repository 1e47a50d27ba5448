"""Muon (Jordan et al., 2024): matrices learn by momentum whose singular values are made equal; the rest by AdamW.

torch's own computes in bfloat16, at which many processors are slow, and leaves the rest to a second optimiser. With the
scale of Moonshot's Muon (0.2 sqrt(larger side)) a step is as long as one of AdamW's, so that the two rates are alike.
"""

import math
from typing import Any, Self

import torch
from torch import Tensor, nn

from autogaze.training.config import Optimizer

HIDDEN = (".layers.", ".projector.")
"""Parts whose matrices are between hidden states; embeddings and heads are AdamW's."""
ROUNDS = (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration: a x + b x^3 + c x^5 brings any x in (0, 1] near 1, in five rounds."""


class Muon(torch.optim.AdamW):
    """AdamW, but for groups with `matrices`, whose tensors have two dimensions."""

    @classmethod
    def of(cls, model: nn.Module, settings: Optimizer) -> Self:
        """What lies between hidden states by Muon, with weight decay, the rest by AdamW, without."""
        assert settings.matrices is not None  # the configuration has seen to it
        named = list(model.named_parameters())
        hidden = [x for name, x in named if x.ndim == 2 and any(part in f".{name}" for part in HIDDEN)]
        own = {id(x) for x in hidden}
        rest = [x for _, x in named if id(x) not in own]
        groups = [
            {"params": rest, "matrices": False, "weight_decay": 0.0},
            {"params": hidden, "matrices": True, "share": settings.matrices / settings.rate},
        ]
        return cls(groups, lr=settings.rate, betas=settings.betas, weight_decay=settings.weight_decay)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for x in group["params"] if group["matrices"] else ():
                if x.grad is not None:
                    self._turn(x, x.grad, group["lr"], group["weight_decay"])
                    x.grad = None  # AdamW passes over it
        return super().step(closure)

    def _turn(self, x: Tensor, grad: Tensor, rate: float, decay: float, momentum: float = 0.95) -> None:
        state = self.state[x]
        if not state:
            # AdamW reads the step of every state that it loads.
            state.update(step=torch.tensor(0.0), momentum=torch.zeros_like(x))
        state["momentum"].lerp_(grad, 1 - momentum)
        update = orthogonal(grad.lerp(state["momentum"], momentum))
        x.mul_(1 - rate * decay).add_(update, alpha=-rate * 0.2 * math.sqrt(max(x.shape)))


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """The matrix with singular values near 1 (0.7 to 1.2)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.float().T if tall else matrix.float()
    x = x / x.norm().clamp_min(1e-7)
    a, b, c = ROUNDS
    for _ in range(rounds):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x
