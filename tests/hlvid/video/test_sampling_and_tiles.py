"""Sampling policies and tile grids: golden values, laws, errors.

Run: pytest tests/hlvid/video/test_sampling_and_tiles.py
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlvid.errors import HlvidError
from hlvid.video import sampling
from hlvid.video.tiles import TileGrid, aspect_grid, fit_long_side

COUNTS = st.integers(1, 400)


@given(n=COUNTS, count=COUNTS)
def test_linspace_is_the_published_rounding(n: int, count: int) -> None:
    got = sampling.uniform_linspace(n, count)
    assert got == np.round(np.linspace(0, n - 1, count)).astype(int).tolist()
    assert got[0] == 0 and (count == 1 or got[-1] == n - 1)


@given(n=COUNTS, count=COUNTS)
def test_midpoint_is_the_middle_of_equal_parts(n: int, count: int) -> None:
    if count > n:
        with pytest.raises(HlvidError, match=f"at most {n}"):
            sampling.uniform_midpoint(n, count)
        return
    got = sampling.uniform_midpoint(n, count)
    assert len(set(got)) == count and got[0] >= 0 and got[-1] < n
    assert all(abs(i + 0.5 - (k + 0.5) * n / count) <= 1 for k, i in enumerate(got))
    assert [n - 1 - i for i in reversed(got)] == pytest.approx(got, abs=1)


def test_golden_values() -> None:
    assert sampling.uniform_linspace(900, 4) == [0, 300, 599, 899]
    assert sampling.uniform_midpoint(900, 4) == [112, 337, 562, 787]
    assert sampling.uniform_linspace(2, 3) == [0, 0, 1]  # as published: halves to even, frames repeat
    assert sampling.fps_capped(90, 30.0, 1.0, 128) == [0, 30, 60]
    assert sampling.fps_capped(90, 30.0, 60.0, 128) == list(range(90))
    assert sampling.fps_capped(900, 30.0, 2.0, 4) == [0, 300, 599, 899]
    assert sampling.fps_capped(10, 29.97, 29.97, 64) == list(range(10))


@pytest.mark.parametrize("count", [0, -3])
def test_impossible_budgets(count: int) -> None:
    for policy in (sampling.uniform_linspace, sampling.uniform_midpoint):
        with pytest.raises(HlvidError, match="at least 1"):
            policy(10, count)
    with pytest.raises(HlvidError, match="at least 1"):
        sampling.fps_capped(10, 30.0, 1.0, count)
    with pytest.raises(HlvidError, match="rate is 0"):
        sampling.fps_capped(10, 30.0, 0.0, 5)
    with pytest.raises(HlvidError, match="0 frames"):
        sampling.uniform_linspace(0, 5)


@pytest.mark.parametrize(
    ("width", "height", "resolution", "want"),
    [
        (3840, 2160, 896, (504, 896)),
        (3840, 2160, 448, (252, 448)),
        (2160, 3840, 896, (896, 504)),
        (99, 7, 50, (4, 50)),
    ],
)
def test_fit_long_side(width: int, height: int, resolution: int, want: tuple[int, int]) -> None:
    assert fit_long_side(width, height, resolution) == want


def test_nvila_grid_at_48_tiles() -> None:
    grid = aspect_grid(3840, 2160, 48)
    assert (grid.cols, grid.rows, grid.width, grid.height) == (9, 5, 3528, 1960)
    assert (aspect_grid(500, 500, 48).cols, aspect_grid(500, 500, 48).rows) == (1, 1)


@settings(deadline=None)  # the first call imports torch
@given(h=st.integers(1, 60), w=st.integers(1, 60), tile=st.integers(1, 20), as_torch=st.booleans())
def test_split_and_join_are_inverse(h: int, w: int, tile: int, as_torch: bool) -> None:
    frames = np.random.default_rng(0).integers(1, 255, (2, h, w, 3), np.uint8)
    grid = TileGrid.cover(h, w, tile)
    if as_torch:
        import torch

        tiles = grid.split(torch.from_numpy(frames))
        assert isinstance(tiles, torch.Tensor) and torch.equal(grid.join(tiles), torch.from_numpy(frames))
        tiles = tiles.numpy()
    else:
        tiles = grid.split(frames)
        assert np.array_equal(grid.join(tiles), frames)
    assert tiles.shape == (grid.count, 2, tile, tile, 3)
    assert (tiles != 0).sum() == frames.size  # padding is zero, and nothing else is
    for number, (left, top, right, bottom) in enumerate(grid.boxes(w, h)):
        piece = frames[0, int(top) : int(bottom), int(left) : int(right)]
        assert np.array_equal(tiles[number, 0, : piece.shape[0], : piece.shape[1]], piece)


def test_boxes_in_original_pixels() -> None:
    grid = TileGrid.cover(504, 896, 224)
    assert (grid.rows, grid.cols) == (3, 4)
    assert grid.boxes(3840, 2160)[0] == pytest.approx((0, 0, 960, 960))
    assert grid.boxes(3840, 2160)[11] == pytest.approx((2880, 1920, 3840, 2160))
    assert grid.to_frame(5, (0, 0, 112, 224), 3840, 2160) == pytest.approx((960, 960, 1440, 1920))
    assert grid.to_frame(8, (0, 100, 10, 224), 3840, 2160)[1:4:2] == pytest.approx(
        (2160, 2160)
    )  # all padding


def test_wrong_shapes_are_errors() -> None:
    grid = TileGrid.cover(10, 10, 4)
    with pytest.raises(HlvidError, match="grid is for 10 x 10"):
        grid.split(np.zeros((1, 9, 10, 3)))
    with pytest.raises(HlvidError, match="dimensions"):
        grid.split(np.zeros((10, 10, 3)))
    with pytest.raises(HlvidError, match="grid has 9"):
        grid.join(np.zeros((8, 1, 4, 4, 3)))
    with pytest.raises(HlvidError, match="does not fit"):
        TileGrid(1, 1, 4, 5, 4)
    with pytest.raises(HlvidError, match="positive"):
        fit_long_side(0, 10, 448)
