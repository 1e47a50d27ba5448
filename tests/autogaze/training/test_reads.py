"""Composed scenes know where their text is; a network taught on them learns to list it, and starts from what it was."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from autogaze.gaze import SCALES, grid_sides
from autogaze.model.autogaze import AutoGaze
from autogaze.model.network import Network
from autogaze.selectors import get
from autogaze.selectors.text import cells, coarsest
from autogaze.selectors.text_map import TextLine
from autogaze.training.objectives import LINE
from autogaze.training.reads import learn
from autogaze.training.text_learner import Learner, imitation, lists
from autogaze.training.text_scenes import LINES, Scenes
from autogaze.training.text_strips import CAP, Drawn, strips, worth
from autogaze.weights import bundled

STARTS = np.cumsum([0, *[side * side for side in grid_sides()]])


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    """Grounds of one grey: all that differs from it was composed."""
    return Scenes(torch.full((2, 3, 240, 240), 128, dtype=torch.uint8), strips(16, seed=0))


def drawn(cap: float, left: float, top: float, wide: float) -> Drawn:
    """One line of one tile."""
    one = np.ones((1, 1), bool)
    box = np.array([[[left, top, left + wide, top + cap]]])
    return Drawn(one, one, np.zeros((1, 1), np.int64), np.full((1, 1), cap), box)


@pytest.mark.parametrize("cap", [7.0, 13.0, 25.0, 50.0])
def test_a_line_is_worth_the_tokens_that_the_teacher_would_take(cap: float) -> None:
    gains, spare = worth(drawn(cap, 40, 60, 100))
    scale = coarsest(cap)
    assert scale is not None
    top, bottom = 60 + 0.06 * cap, 60 + 0.94 * cap  # a hair of a line in a patch is not looked at
    rim = (bottom - top) / 0.7 * 0.3 / 2
    line = TextLine((40, round(top - rim), 140, round(bottom + rim)), bottom - top, 1.0)
    rows, columns = cells(line, scale)
    side = grid_sides()[scale]
    wanted = np.arange(side * side).reshape(side, side)[rows, columns].ravel() + STARTS[scale]
    assert gains[0].nonzero()[0].tolist() == wanted.tolist()
    assert gains.sum() == pytest.approx(LINE)
    assert not spare.any()


def test_what_cannot_be_read_is_worth_nothing_and_what_nearly_can_counts_neither_way() -> None:
    for cap, near in ((4.0, False), (5.7, True)):
        gains, spare = worth(drawn(cap, 40, 60, 100))
        assert not gains.any()
        assert spare.any() == near
    gains, spare = worth(drawn(8.0, 221, 60, 100))  # three px of it are in the tile
    assert not gains.any() and spare.any()


def test_scenes_are_composed_where_they_say(scenes: Scenes) -> None:
    shown = scenes.batch(np.random.default_rng(0), 32)
    again = scenes.batch(np.random.default_rng(0), 32)
    torch.testing.assert_close(shown.pictures, again.pictures)
    assert shown.pictures.shape == (32, 3, 224, 224)
    some = shown.gains.sum(1) > 0
    assert 0.1 < some.float().mean() < 0.9
    finest = shown.gains[:, STARTS[-2] :].view(-1, 14, 14) > 0
    patches = shown.pictures.mean(1).unfold(1, 16, 16).unfold(2, 16, 16).flatten(3).std(-1)
    assert patches[finest].mean() > 2 * patches[~some].mean()


def test_a_plate_that_is_not_written_on_is_empty(scenes: Scenes) -> None:
    draw = np.random.default_rng(3)
    plan = scenes.drawn(draw, 16)
    plan = replace(plan, written=np.zeros_like(plan.written))
    assert plan.there.shape == (16, LINES)
    shown = scenes.composed(plan, *worth(plan), draw)
    assert not shown.gains.any()
    assert shown.pictures.isfinite().all()


def test_strips_are_as_high_as_they_say() -> None:
    made = strips(8, seed=1)
    for mask, width in zip(made.masks.numpy(), made.widths, strict=True):
        assert not mask[:, int(width) + 3 :].any()
        assert (mask.any(1).nonzero()[0][0] - (64 - CAP) / 2) < 12


def test_lists_take_the_best_first_and_say_what_is_left() -> None:
    gains = torch.zeros(2, 265)
    gains[0, 200:204] = LINE / 4
    gains[0, 10] = LINE
    told = lists(gains, 24, torch.Generator().manual_seed(4))
    assert told.tokens[0].unique().numel() == 24
    assert not told.wanted[1].any() and not told.left[1].any()
    hits = (gains[0, told.tokens[0]] > 0).nonzero().flatten().tolist()
    assert told.tokens[0, hits].tolist() == [10, 200, 201, 202, 203]
    assert told.left[0, 0] == pytest.approx(2 * LINE) and told.left[0, -1] == pytest.approx(0)
    assert told.wanted[0, 0].argmax() == 10
    after = told.wanted[0, hits[1]]
    assert after[200:204].tolist() == pytest.approx([0.25] * 4) and after[10] == 0


def test_steps_lower_every_loss_on_one_batch(scenes: Scenes) -> None:
    torch.manual_seed(0)
    model = AutoGaze.from_pretrained(bundled())
    learner = Learner(model.gazing_model, model.config)
    shown = scenes.batch(np.random.default_rng(1), 4)
    assert shown.gains.any()
    optimizer = torch.optim.AdamW(learner.parameters(), lr=3e-4)
    said = []
    for _ in range(4):
        losses = learner(shown, torch.Generator().manual_seed(0), frames=2)
        said.append({name: loss.item() for name, loss in losses.items()})
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
    for name in ("tokens", "left", "map", "inner"):
        assert min(one[name] for one in said[1:]) < said[0][name], name


def test_imitation_is_nothing_of_oneself_and_something_of_another() -> None:
    model = AutoGaze.from_pretrained(bundled())
    clips = torch.rand(1, 3, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    old, config = model.gazing_model, model.config
    assert imitation(old, old, config, clips).item() == pytest.approx(0, abs=1e-3)
    torch.manual_seed(0)
    assert imitation(Network(config), old, config, clips).item() > 0.1


@pytest.mark.slow
def test_a_run_ends_in_time_and_leaves_a_checkpoint_and_a_head(tmp_path: Path) -> None:
    model = AutoGaze.from_pretrained(bundled())
    learn(model, tmp_path, seconds=60, batch=8, workers=1, words=16)
    assert json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[0])["tokens"] > 0
    taught = AutoGaze.from_pretrained(tmp_path / "model")
    assert taught.gaze(torch.zeros(1, 1, 3, 224, 224), ratio=0.05).positions.shape == (1, 13)
    looks = get("autogaze.training.probe:Headed", head=str(tmp_path / "head"))
    assert looks.select(torch.rand(1, 1, 3, SCALES[-1], SCALES[-1]), ratio=0.05).positions.shape == (1, 13)
