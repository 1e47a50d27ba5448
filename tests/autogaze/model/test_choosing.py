"""What is chosen next: the rule, its drawing, and the kernel that does it in one launch (and the one that attends).

pytest tests/autogaze/model/test_choosing.py
"""

import os
import subprocess
import sys

import pytest
import torch

from autogaze.model.autogaze import AutoGaze
from autogaze.model.choosing import Request, choose

KERNEL = """
import torch
from autogaze.model.choosing import Request, Written, write
from autogaze.model.choosing_kernel import write_fused

def random(seed, budget):
    draw = torch.manual_seed(seed)
    written = Written.new(3, 265, 10, torch.device("cpu"))
    written.begin()
    written.budget.fill_(budget)
    written.alive[1] = False
    written.group[1] = 7
    return written, draw

for seed, (request, slots) in enumerate([
    (Request(23, 0.1), 0), (Request(265, torch.tensor([0.01])), 250), (Request(4, 0.5, temperature=0.7), 0),
    (Request(30, None, temperature=torch.tensor([1.5]), top_k=50), 0),
]):
    (plain, draw), (fused, _) = random(seed, request.budget), random(seed, request.budget)
    plain.slots.fill_(slots), fused.slots.fill_(slots)
    for _ in range(2 if request.budget > 10 else 1):
        out = torch.randn(3, 10 * 266 + 28, generator=draw)
        scores, losses = out[:, :2660].unflatten(1, (10, 266)), out[:, 2660:2670].abs()
        noise = None if request.temperature is None else -torch.empty(3, 10, 266).exponential_(generator=draw).log()
        write(plain, scores, losses, request, noise)
        write_fused(fused, scores, losses, request, noise)
        for name, value in vars(plain).items():
            assert torch.equal(value, getattr(fused, name)), (request, name)
    assert plain.used > 0 and (plain.tokens[1] == 265).all() and (plain.group[1] == 7).all()

from autogaze.model.attending import Masked
from autogaze.model.attending_kernel import ROWS, Short

for rows, first in ((10, [0, 63, 171]), (1, [130, 0, 64]), (ROWS + 1, [5, 90, 120])):
    keys, values = torch.randn(2, 3, 192, 2, 32, generator=draw)
    q, first = torch.randn(3, rows, 2, 32, generator=draw), torch.tensor(first)
    plain, short = Masked(), Short(Masked())
    expected = plain.attend(q, keys, values, plain.plan(first, rows, 192, 192))
    for b, seen in enumerate(first + rows):
        values[b, seen:] = keys[b, seen:] = float("nan") if rows <= ROWS else 0.0  # which nobody reads
    found = short.attend(q, keys, values, short.plan(first, rows, 192, 192))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
print("equal")
"""


def test_the_kernels_do_what_torch_does() -> None:
    """Under Triton's interpreter, in a process of its own: triton asks for it when it is first imported."""
    pytest.importorskip("triton")
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    said = subprocess.run(
        [sys.executable, "-c", KERNEL], env=environment, capture_output=True, text=True, timeout=500
    )
    assert said.stdout == "equal\n", said.stderr[-2000:]


def _rows(*rows: list[float]) -> torch.Tensor:
    return torch.tensor([rows])


def test_a_group_never_repeats_a_token() -> None:
    scores, blocked = _rows([3.0, 2, 1, 0], [9, 2, 8, 0]), torch.tensor([[False, False, False, True]])
    tokens, pad = choose(scores, torch.zeros(1, 2), blocked, True, Request(2))
    assert tokens.tolist() == [[0, 2]] and not pad.any()
    assert blocked.tolist() == [[True, False, True, True]]


def test_the_first_token_of_a_frame_is_never_padding() -> None:
    losses = torch.tensor([[0.1, 0.3, 0.1]])
    request = Request(3, requirement=0.2)
    for first, expected in ((True, [False, False, True]), (False, [True, False, True])):
        _, pad = choose(torch.rand(1, 3, 5), losses, torch.zeros(1, 5, dtype=torch.bool), first, request)
        assert pad.tolist() == [expected]


def test_draws_follow_the_softmax_of_the_best() -> None:
    """Gumbel's trick against the probabilities themselves, 20,000 draws."""
    scores = torch.tensor([2.0, 1.0, 0.5, -1.0, 4.0]).expand(20_000, 1, 5)
    blocked = torch.tensor([False, False, False, False, True]).expand(20_000, 5).clone()
    request = Request(1, temperature=0.7, generator=torch.manual_seed(0), top_k=3)
    noise = request.noise(torch.empty(20_000, 1, 5))
    tokens, _ = choose(scores, torch.zeros(20_000, 1), blocked, True, request, noise)
    shares = tokens.flatten().bincount(minlength=5) / 20_000
    expected = (torch.tensor([2.0, 1.0, 0.5]) / 0.7).softmax(0)
    assert torch.allclose(shares[:3], expected, atol=0.012) and shares[3] == shares[4] == 0


def test_too_few_to_draw_a_group_from_are_refused(random_model: AutoGaze) -> None:
    with pytest.raises(ValueError, match="top_k=9: expected at least 10"):
        random_model.gaze(torch.zeros(1, 1, 3, 224, 224), ratio=0.1, temperature=1.0, top_k=9)
