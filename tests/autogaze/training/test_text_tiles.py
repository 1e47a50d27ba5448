"""Generated squares know where their text is, and tiles cut from them which tokens show it.

Run: pytest tests/autogaze/training/test_text_tiles.py
"""

import numpy as np
import pytest
import torch
from PIL import Image

from autogaze.gaze import SCALES, grid_sides
from autogaze.selectors.text import cells, coarsest
from autogaze.selectors.text_map import TextLine
from autogaze.training import text_signs
from autogaze.training.text_signs import put_sign
from autogaze.training.text_tiles import LINES, SQUARE, read_share, square, squares, tile, tiles, wanted

STARTS = np.cumsum([0, *[side * side for side in grid_sides()]])


@pytest.fixture(scope="module")
def drawn() -> tuple[torch.Tensor, torch.Tensor]:
    """Forty tiles."""
    return tiles(range(40))


def lines_of(*lines: tuple[float, float, float, float, float]) -> np.ndarray:
    told = np.zeros((1, LINES, 5), np.float32)
    told[0, : len(lines)] = lines
    return told


def at(left: int = 0, top: int = 0) -> np.ndarray:
    return np.array([[left, top]])


def test_squares_are_the_same_for_the_same_seed_and_many_have_no_text() -> None:
    one, again = (squares(range(5, 35)) for _ in range(2))
    assert np.array_equal(one.pictures, again.pictures) and np.array_equal(one.lines, again.lines)
    assert one.pictures.shape == (30, SQUARE, SQUARE, 3) and one.pictures.dtype == np.uint8
    bare = (one.lines[..., 4].max(1) == 0).mean()
    assert 0.3 < bare < 0.7


def test_grounds_are_shown_behind_the_signs() -> None:
    grey = np.full((1, SQUARE, SQUARE, 3), 77, np.uint8)
    seen = [np.abs(square(seed, grey)[0][:8, :8].astype(int) - 77).max() < 30 for seed in range(40)]
    assert 4 <= sum(seen) <= 24


def test_letters_are_where_a_sign_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a ground of one grey, without their plates, signs differ from it within their lines' boxes alone."""
    monkeypatch.setattr(text_signs, "_put_plate", lambda *_: None)
    written = 0
    for seed in range(40):
        picture = Image.new("RGB", (SQUARE, SQUARE), (128, 128, 128))
        lines = put_sign(picture, np.random.default_rng(seed), [])
        changed = np.abs(np.asarray(picture).astype(int) - 128).max(2) > 0
        assert len(lines) in (1, 2)
        for line in lines:
            left, top, right, bottom = (int(np.clip(side, 0, SQUARE)) for side in line.box)
            written += changed[top:bottom, left:right].any()
            below, above = int(bottom + 0.6 * line.cap) + 4, max(0, int(top - 0.5 * line.cap) - 4)
            changed[above:below, max(0, left - 4) : right + 8] = False
        assert not changed.any()
    assert written > 30


def test_signs_do_not_touch_each_other_and_empty_ones_say_nothing() -> None:
    picture, taken = Image.new("RGB", (SQUARE, SQUARE)), []
    draw = np.random.default_rng(0)
    for _ in range(20):
        assert put_sign(picture, draw, taken, written=False) == []
    for n, one in enumerate(taken):
        for other in taken[:n]:
            assert (one[:2] > other[2:]).any() or (one[2:] < other[:2]).any()


@pytest.mark.parametrize("cap", [7.0, 13.0, 25.0, 50.0])
def test_a_line_is_shown_by_the_tokens_that_the_teacher_would_take(cap: float) -> None:
    found = wanted(lines_of((40, 60, 140, 60 + cap, cap)), at())
    scale = coarsest(cap)
    assert scale is not None and not found.spare.any()
    top, bottom = 60 + 0.08 * cap, 60 + 0.92 * cap  # a hair of a line in a patch is not looked at
    rim = (bottom - top) / 0.7 * 0.3 / 2
    line = TextLine((40, round(top - rim), 140, round(bottom + rim)), bottom - top, 1.0)
    rows, columns = cells(line, scale)
    side = grid_sides()[scale]
    grid = np.arange(side * side).reshape(side, side)[rows, columns].ravel() + STARTS[scale]
    assert set(found.show[0].nonzero()[0]) <= set(grid.tolist())
    assert found.show.sum() >= 0.6 * len(grid)


def test_what_cannot_be_read_is_not_shown_and_what_nearly_can_counts_neither_way() -> None:
    for cap, near in ((4.0, False), (5.7, True)):
        found = wanted(lines_of((40, 60, 140, 60 + cap, cap)), at())
        assert not found.show.any() and found.spare.any() == near
    found = wanted(lines_of((221, 60, 300, 68, 8.0)), at())  # three px of it are in the tile
    assert not found.show.any() and found.spare.any()


def test_a_tile_that_is_cut_further_right_shows_a_line_further_left() -> None:
    line = lines_of((64, 64, 128, 72, 8.0))
    whole, moved = (wanted(line, at(left)).show[0, STARTS[-2] :].reshape(14, 14) for left in (0, 32))
    assert np.array_equal(whole[:, 2:], moved[:, :-2]) and whole.any()


def test_text_has_more_edges_than_the_rest(drawn: tuple[torch.Tensor, torch.Tensor]) -> None:
    pictures, scales = drawn
    places = scales.amax(1)
    assert pictures.dtype == torch.uint8 and places.shape == (40, 14, 14) and float(places.max()) == 1
    grey = pictures.float().mean(1)
    steps = (grey[:, :, 1:] - grey[:, :, :-1]).abs()
    edges = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(steps, (0, 1)), 16)
    assert edges[places > 0.5].mean() > 2 * edges[places == 0].mean()
    assert all(torch.equal(a, b) for a, b in zip(tile(5), tile(5), strict=True))


def test_what_is_read_is_what_is_seen_finely_enough(drawn: tuple[torch.Tensor, torch.Tensor]) -> None:
    _, places = drawn
    everything, nothing = torch.ones(40, 265, dtype=torch.bool), torch.zeros(40, 265, dtype=torch.bool)
    coarse = nothing.clone()
    coarse[:, : STARTS[-2]] = True  # 32, 64 and 112 px
    assert read_share(everything, places) == 1 and read_share(nothing, places) == 0
    assert read_share(coarse, places) == pytest.approx(
        float(places[:, : len(SCALES) - 1].sum() / places.sum())
    )
