"""Sampling policies and tile grids: golden values, laws, errors.

Run: pytest tests/hlvid/video/test_sampling_and_tiles.py
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlvid.errors import HlvidError
from hlvid.video import sampling
from hlvid.video.tiles import fit_long_side

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


def test_a_picture_without_pixels_is_an_error() -> None:
    with pytest.raises(HlvidError, match="positive"):
        fit_long_side(0, 10, 448)
