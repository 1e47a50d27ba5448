"""Run with: pytest tests/autogaze/nvila/test_sampling.py. Against transformers' own steps."""

import pytest
import torch
from transformers.generation.logits_process import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from autogaze.nvila.sampling import GREEDY, Sampling

LOGITS = torch.tensor([0.1, 2.0, -1.0, 1.5, 0.7, 0.6])


@pytest.mark.parametrize(
    "sampling", [Sampling(1.0), Sampling(0.5, 0.8), Sampling(2.0, 1.0, 3), Sampling(1.3, 0.6, 4)]
)
def test_tokens_are_drawn_as_often_as_transformers_would(sampling: Sampling) -> None:
    steps = LogitsProcessorList([TemperatureLogitsWarper(sampling.temperature)])
    if sampling.top_k:
        steps.append(TopKLogitsWarper(sampling.top_k))
    steps.append(TopPLogitsWarper(sampling.top_p))
    expected = steps(torch.zeros(1, 1, dtype=torch.long), LOGITS[None].clone())[0].softmax(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = torch.tensor([sampling.pick(LOGITS) for _ in range(4000)])
    seen = drawn.bincount(minlength=6) / 4000
    assert (seen[expected == 0] == 0).all()
    assert (seen - expected).abs().max() < 0.03


def test_the_likeliest_and_the_allowed() -> None:
    assert GREEDY.pick(LOGITS) == 1 and GREEDY.pick(LOGITS, [5, 4, 2]) == 4
    assert {Sampling(5.0).pick(LOGITS, [4, 2]) for _ in range(100)} == {2, 4}
    assert Sampling.of({"temperature": None, "top_k": -1}) == GREEDY
    assert Sampling.of({"temperature": 1, "top_p": 0.5, "top_k": 9}) == Sampling(1.0, 0.5, 9)
