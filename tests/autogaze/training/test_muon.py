"""Muon's steps are torch's own. Run: pytest tests/autogaze/training/test_muon.py"""

import copy

import pytest
import torch
from torch import nn

from autogaze.training.config import Optimizer
from autogaze.training.muon import Muon, orthogonal


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 6)
        self.layers = nn.ModuleList([nn.Linear(6, 20), nn.Linear(20, 6)])


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net()


def learn(net: Net, *optimizers: torch.optim.Optimizer, steps: range = range(4)) -> None:
    """Gradients are drawn: of a loss they could be near singular, and what rounding leaves of that is no test."""
    for step in steps:
        draw = torch.Generator().manual_seed(step)
        for x in net.parameters():
            x.grad = torch.randn(x.shape, generator=draw)
        for optimizer in optimizers:
            optimizer.step()


SETTINGS = Optimizer(kind="muon", rate=1e-2, matrices=2e-2, weight_decay=0.1, betas=(0.9, 0.98))


def test_steps_are_torchs(net: Net) -> None:
    other = copy.deepcopy(net)
    own = Muon.of(net, SETTINGS)
    for group in own.param_groups:
        group["lr"] *= group.get("share", 1.0)
    matrices = [layer.weight for layer in other.layers]
    rest = [x for x in other.parameters() if all(x is not one for one in matrices)]
    muon = torch.optim.Muon(matrices, lr=2e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    learn(net, own)
    learn(other, muon, torch.optim.AdamW(rest, lr=1e-2, betas=(0.9, 0.98), weight_decay=0.0))
    for (name, mine), theirs in zip(net.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(
            mine, theirs, atol=3e-3, rtol=0, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_every_direction_is_gone_alike_far() -> None:
    for shape in ((8, 20), (20, 8)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1)) @ torch.diag(
            torch.logspace(-1, 1, shape[1])
        )
        values = torch.linalg.svdvals(orthogonal(matrix).float())
        assert values.min() > 0.6 and values.max() < 1.3


def test_a_loaded_state_goes_on_to_the_same_weights(net: Net) -> None:
    other = copy.deepcopy(net)
    whole = Muon.of(net, SETTINGS)
    learn(net, whole, steps=range(5))
    first = Muon.of(other, SETTINGS)
    learn(other, first, steps=range(3))
    second = Muon.of(other, SETTINGS)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    learn(other, second, steps=range(3, 5))
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))
