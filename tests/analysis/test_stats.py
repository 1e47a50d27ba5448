"""Statistics: known values, and intervals that cover."""

import numpy as np
import pytest

from analysis import stats


def test_mean_leaves_out_nan_and_counts_clusters() -> None:
    found = stats.mean([1.0, 3.0, np.nan, 5.0], ["a", "a", "b", "c"])
    assert (found.value, found.n, found.clusters) == (3.0, 3, 2)


def test_one_cluster_says_nothing_about_others() -> None:
    found = stats.mean([1.0, 2.0], ["a", "a"])
    assert np.isnan(found.low) and np.isnan(found.high)


def test_interval_of_clustered_values_covers_the_truth() -> None:
    """Values that agree within a cluster: the naive interval would cover far less than 95 %."""
    draw, hits = np.random.default_rng(0), 0
    for _ in range(60):
        centres = draw.normal(0, 1, 20)
        found = stats.mean(np.repeat(centres, 30), np.repeat(np.arange(20), 30).tolist())
        hits += found.low <= 0 <= found.high
    assert hits >= 53  # 95 % of 60 is 57; fewer than 53 has a chance of 2 % at 95 % coverage


def test_difference_is_first_minus_rest() -> None:
    found = stats.difference([1, 2, 10, 20], [True, True, False, False], ["a", "b", "a", "b"])
    assert found.value == pytest.approx(1.5 - 15)


def test_rank_correlation_agrees_with_scipy() -> None:
    from scipy.stats import spearmanr

    draw = np.random.default_rng(0)
    x = draw.integers(0, 4, 300)
    y = x + draw.normal(0, 2, 300)
    found = stats.rank_correlation(x, y, (np.arange(300) // 10).tolist())
    assert found.rho.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.rho.low < found.rho.value < found.rho.high
    assert "n = 300" in found.text and "30 clusters" in found.text


def test_fitted_line_is_least_squares() -> None:
    draw = np.random.default_rng(0)
    x = draw.random(200)
    y = 2 * x + 1 + draw.normal(0, 0.1, 200)
    slope, offset = np.polyfit(x, y, 1)
    value, low, high = stats.fitted_line(x, y, (np.arange(200) // 10).tolist(), [0.0, 1.0])
    assert value == pytest.approx([offset, slope + offset])
    assert (low < value).all() and (value < high).all()


@pytest.mark.parametrize("clusters", [2, 3, 4, 8])
def test_few_clusters_make_wide_intervals(clusters: int) -> None:
    """Percentiles of bootstrap draws covered 47 % with two clusters and 77 % with three."""
    draw, label, hits = np.random.default_rng(clusters), np.repeat(np.arange(clusters), 6), 0
    for _ in range(120):
        values = draw.normal(0, 1, clusters)[label] + draw.normal(0, 1, len(label))
        found = stats.mean(values, label.tolist())
        hits += found.low <= 0 <= found.high
    assert hits >= 105  # 114 expected; fewer than 105 has a chance of 0.3 % at 95 % coverage


def test_a_share_of_all_is_no_certainty() -> None:
    found = stats.share([1, 1, 1], ["a", "b", "c"])
    assert found.value == found.high == 1 and found.low < 0.6


def test_values_that_do_not_vary_have_no_interval() -> None:
    found = stats.mean([2.0, 2.0, 2.0], ["a", "b", "c"])
    assert found.value == 2 and np.isnan(found.low) and np.isnan(found.high)


def test_a_rank_correlation_of_two_pictures_is_not_the_end_of_its_interval() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=40)
    y = x + draw.normal(size=40) * np.repeat([0.5, 2.0], 20)
    rho = stats.rank_correlation(x, y, ["a"] * 20 + ["b"] * 20).rho
    assert -1 <= rho.low < rho.value < rho.high <= 1
