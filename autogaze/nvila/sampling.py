"""How the next token is taken: the likeliest, or drawn.

Temperature, then the `top_k` likeliest, then the fewest that have `top_p` of the probability: the order of
transformers' `generate`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """temperature: 0 for the likeliest. top_p: 1 for all tokens. top_k: 0 for all tokens."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """From settings by transformers' names; what is left out or None asks for nothing."""
        temperature, top_p, top_k = (settings.get(name) for name in ("temperature", "top_p", "top_k"))
        return cls(float(temperature or 0), 1.0 if top_p is None else float(top_p), max(0, int(top_k or 0)))

    def pick(self, logits: Tensor, allowed: Sequence[int] | None = None) -> int:
        """One token of (vocabulary,), or of the `allowed` ones alone; of equally likely ones the first."""
        ids = torch.arange(len(logits)) if allowed is None else torch.tensor(list(allowed))
        scores = logits if allowed is None else logits[ids.to(logits.device)]
        return int(ids[int(scores.argmax()) if not self.temperature else self._draw(scores.float())])

    def _draw(self, scores: Tensor) -> int:
        scores, order = (scores / self.temperature).sort(descending=True, stable=True)
        if self.top_k:
            scores[self.top_k :] = -torch.inf
        chances = scores.softmax(0)
        before = chances.cumsum(0) - chances
        chances[before >= self.top_p] = 0
        return int(order[torch.multinomial(chances, 1)])


GREEDY = Sampling()
