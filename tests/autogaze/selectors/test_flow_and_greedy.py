"""Optical flow finds what moves; greedy is exact in its budget and below every other choice's loss.

Run: pytest tests/autogaze/selectors/test_flow_and_greedy.py
"""

import pytest
import torch
from torch import Tensor

from autogaze import selectors
from autogaze.gaze import Gaze
from autogaze.reconstruction.paste import rebuild


@pytest.fixture(scope="module")
def moving() -> Tensor:
    """Smooth noise that stands, with a textured square moving 4 px a frame inside rows 64..112."""
    draw = torch.Generator().manual_seed(1)
    ground = torch.nn.functional.interpolate(
        torch.rand(1, 3, 28, 28, generator=draw), size=224, mode="bilinear"
    )
    square = torch.nn.functional.interpolate(
        torch.rand(1, 3, 12, 12, generator=draw), size=48, mode="bilinear"
    )
    clip = ground.repeat(4, 1, 1, 1)
    for t in range(4):
        clip[t, :, 64:112, 64 + 4 * t : 112 + 4 * t] = square[0]
    return clip[None]


def loss_of(clips: Tensor, gaze: Gaze) -> Tensor:
    return (rebuild(clips, gaze, memory=True) - clips).abs().mean((2, 3, 4)) * 2


@pytest.mark.parametrize("name", ["optical_flow"])
def test_flow_looks_at_what_moves(name: str, moving: Tensor) -> None:
    fine = selectors.get(name).select(moving, ratio=0.02).scale_masks()[-1][0]
    for t in (1, 2, 3):
        rows, cols = fine[t].nonzero(as_tuple=True)
        assert len(rows) and rows.min() >= 3 and rows.max() <= 7 and cols.min() >= 3 and cols.max() <= 8


def test_flow_has_nothing_to_say_of_a_first_frame(moving: Tensor) -> None:
    assert selectors.get("optical_flow").select(moving, ratio=0.02).masks()[
        0, 0
    ].nonzero().flatten().tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_flow_follows_across_tiles(moving: Tensor) -> None:
    """Two halves of a picture, laid together: the flow in each tile is that of the whole."""
    wide = torch.cat([moving, moving.roll(48, -1)], -1)
    tiles = torch.cat([wide[..., :224], wide[..., 224:]])
    scores = selectors.get("optical_flow").scores(tiles, (1, 2))  # type: ignore[attr-defined]
    assert scores.shape == (2, 4, 265)
    assert scores[:, 1:, :4].sum() > 0 and (scores[:, 0] == 0).all()


@pytest.mark.parametrize("name", ["optical_flow", "greedy"])
def test_budgets_are_exact_and_padding_is_left_alone(name: str, noise: Tensor) -> None:
    valid = torch.ones(6, 265, dtype=torch.bool)
    valid[:, 100:] = False
    gaze = selectors.get(name).select(noise, ratio=0.1, valid=valid)
    assert (gaze.counts() == 10).all() and not gaze.masks()[..., 100:].any()


def test_greedy_loses_less_than_any_heuristic(moving: Tensor) -> None:
    found = loss_of(moving, selectors.get("greedy").select(moving, ratio=0.1)).mean()
    for name in ("random", "centre", "detail", "rgb_diff", "optical_flow"):
        assert found < loss_of(moving, selectors.get(name).select(moving, ratio=0.1)).mean(), name


def test_greedy_stops_at_the_loss_asked(moving: Tensor) -> None:
    gaze = selectors.get("greedy").select(moving, loss=0.1)
    assert (loss_of(moving, gaze) <= 0.1 + 1e-6).all()
    fewer = Gaze.from_masks(gaze.masks())
    assert 0 < fewer.ratio() < 0.2


def test_greedy_keeps_the_order_it_took(moving: Tensor) -> None:
    """The first tokens of a larger budget are those of a smaller one."""
    few = selectors.get("greedy").select(moving[:, :1], ratio=0.05)
    many = selectors.get("greedy").select(moving[:, :1], ratio=0.1)
    assert torch.equal(many.positions[:, : few.positions.shape[1]], few.positions)
    assert not torch.equal(many.positions, many.positions.sort().values)


def test_greedy_needs_a_limit(moving: Tensor) -> None:
    with pytest.raises(ValueError, match="ratio: None"):
        selectors.get("greedy").select(moving)
