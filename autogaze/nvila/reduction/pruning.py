"""FastV-style pruning: the tokens with the highest scores stay, the others are thrown away.

Source: Chen et al., "An Image is Worth 1/2 Tokens After Layer 2" (arXiv 2403.06764). There the scores are the
attention that a visual token receives from the last token of the prompt in an early layer of the language model,
and pruned tokens leave after that layer; `autogaze.nvila.reduction.llm` takes these scores. With scores of the
vision encoder this is the same choice without the prompt. Whatever the scores: ties go to earlier tokens.
"""

import torch
from torch import Tensor

from autogaze.nvila.reduction.reduced import Reduced, target


def fastv(features: Tensor, keep: float, scores: Tensor | None = None) -> Reduced:
    """The share `keep` of all tokens of the clip, wherever they are."""
    assert scores is not None  # `reduce` has seen it
    return Reduced.of(features, highest(scores, target(scores.numel(), keep)))


def highest(scores: Tensor, count: int) -> Tensor:
    """Bool like `scores`: True at the `count` highest."""
    flat = scores.flatten()
    chosen = torch.zeros_like(flat, dtype=torch.bool)
    chosen[flat.argsort(descending=True, stable=True)[:count]] = True
    return chosen.view_as(scores)
