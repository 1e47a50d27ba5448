"""Learning rates, temperatures and budgets over a run."""

import numpy as np
import pytest

from autogaze.training.schedule import between, frame_budgets, mean_ratio, rate


def test_rate_warms_up_then_falls() -> None:
    linear = [rate(step, 100, 1.0, warmup=10) for step in range(100)]
    assert linear[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert linear[10] == 1.0 and linear[55] == pytest.approx(0.5) and 0 < linear[99] < 0.02
    cosine = [rate(step, 100, 1.0, warmup=10, shape="cosine") for step in range(100)]
    assert max(cosine) == pytest.approx(1.0) and cosine[99] == pytest.approx(0.02, abs=1e-3)
    assert rate(99, 100, 0.3, shape="constant") == 0.3
    held = [rate(step, 100, 1.0, warmup=10, shape="held") for step in range(100)]
    assert held[10:55] == [1.0] * 45 and held[77] == pytest.approx(0.5, abs=0.02) and held[99] < 0.03
    with pytest.raises(ValueError, match="linear, cosine, constant or held"):
        rate(1, 10, 1.0, shape="square")  # type: ignore[arg-type]


def test_temperature_reaches_both_ends() -> None:
    assert between(0, 50, 3.0, 0.3) == 3.0
    assert between(49, 50, 3.0, 0.3) == pytest.approx(0.3)
    assert between(0, 1, 3.0, 0.3) == 3.0


def test_mean_ratio_is_a_cut_exponential() -> None:
    draw = np.random.default_rng(0)
    drawn = np.array([mean_ratio(draw, 0.02, 0.2) for _ in range(20_000)])
    assert drawn.min() >= 0.02 and drawn.max() <= 0.2
    # Of an exponential of scale s cut at w, the part below s has (1 - 1/e) / (1 - exp(-w / s)) of the mass.
    assert np.mean(drawn < 0.08) == pytest.approx((1 - np.exp(-1)) / (1 - np.exp(-3)), abs=0.01)


def test_budgets_share_the_mean_and_favour_the_first_frame() -> None:
    drawn = np.array([frame_budgets(8, np.random.default_rng([1, n])) for n in range(4000)])
    assert drawn.min() >= 1 and drawn.max() <= 265
    # Dirichlet(10, 3 x 7): the first frame's share is 10 / 31, every other one's 3 / 31.
    shares = drawn.mean(0) / drawn.mean(0).sum()
    assert shares[0] == pytest.approx(10 / 31, abs=0.02)
    assert shares[1:] == pytest.approx([3 / 31] * 7, abs=0.01)


def test_the_same_seed_gives_the_same_budgets() -> None:
    first, second = (frame_budgets(4, np.random.default_rng([3, 7])) for _ in range(2))
    assert first == second
