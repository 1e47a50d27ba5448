"""Two systems on the same questions: exact McNemar, a clustered sign-flip test, an interval of the difference.

Example::

    mcnemar(16, 13)                                  # 0.71: of 29 disagreements, 16 go one way
    sign_flip([1, 0, -1, 1], ["s1", "s1", "s2", "s3"])
    difference_interval(draws, difference, ...)      # with recordings resampled

McNemar's test takes questions as independent. The sign-flip test gives each recording one sign, since a
system that copes with a recording copes with all of its questions. Both are exact, without random draws.
"""

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from hlvid.scoring.intervals import FEW, Interval, wilson
from hlvid.scoring.resampling import Floats, cluster_sums, critical_value, percentile_interval


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided p-value of the exact (binomial) McNemar test.

    Args:
        only_a, only_b: questions that only one of the systems got right; the others say nothing.
    """
    if only_a < 0 or only_b < 0:
        raise ValueError(f"counts are {only_a} and {only_b}; allowed: 0 and above")
    disagreements = only_a + only_b
    if disagreements == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), disagreements, 0.5)))


def sign_flip(differences: ArrayLike, clusters: Sequence[Hashable]) -> float:
    """Two-sided p-value of the permutation test that swaps the two systems in whole clusters.

    Each of the 2^G ways to swap is equally likely if the systems are alike; the p-value is the share of them whose
    total is at least as far from 0 as the one seen. Counted exactly: the totals' distribution is built up cluster
    by cluster. With every question its own cluster this is McNemar's exact test.

    Args:
        differences: (n,) integers, 1 where only A is right, -1 where only B is, else 0.
        clusters: (n,) the recording of each.
    """
    sums, _ = cluster_sums(differences, clusters)
    totals = np.rint(sums[:, 0]).astype(np.int64)
    if not np.array_equal(totals, sums[:, 0]):
        raise ValueError("differences are not whole numbers; give 1, 0 or -1 a question")
    reach = int(np.abs(totals).sum())
    chances = np.zeros(2 * reach + 1)  # chances[reach + t]: probability of the total t
    chances[reach] = 1.0
    for size in np.abs(totals[totals != 0]):
        chances = (
            np.roll(chances, size) + np.roll(chances, -size)
        ) / 2  # nothing wraps: reach is the sum of sizes
    seen = abs(int(totals.sum()))
    far = np.abs(np.arange(-reach, reach + 1)) >= seen
    return min(1.0, float(chances[far].sum()))


def difference_interval(
    draws: Floats, difference: float, *, disagreement: float, n: int, clusters: float, level: float
) -> Interval:
    """Interval of a paired difference from bootstrap draws of it.

    Args:
        draws: (draws,) resampled differences of accuracy, both systems on the same recordings.
        difference: the one seen, -1 to 1.
        disagreement: share of questions that exactly one system got right.
        n: questions.
        clusters: effective number of recordings.
        level: for example 0.95.

    Returns:
        Percentiles moved outwards for few clusters; with fewer than 10 effective ones a t interval on the
        bootstrap's standard error (never below that of independent questions). Where the draws do not vary, as
        far to each side as unseen disagreement could reach.
    """
    spread = float(draws.std(ddof=1))
    if spread < 1e-12:
        unseen = wilson(0, max(1, round(clusters)), level).high
        ends = (max(-1.0, difference - unseen), min(1.0, difference + unseen))
        return Interval(
            *ends, level, "cluster bootstrap, unseen", "every draw of recordings gives the same difference"
        )
    if clusters < FEW:
        independent = math.sqrt(max(0.0, disagreement - difference**2) / n)
        half = critical_value(level, clusters) * max(spread, independent)
        return Interval(
            max(-1.0, difference - half), min(1.0, difference + half), level, "cluster bootstrap, t"
        )
    return Interval(*percentile_interval(draws, level, clusters), level, "cluster bootstrap")


def paired_design_effect(differences: ArrayLike, clusters: Sequence[Hashable]) -> float:
    """How many times the variance of a paired difference is larger than for independent questions.

    For `power.minimum_detectable_difference`. NaN with one cluster or no disagreement.
    """
    sums, sizes = cluster_sums(differences, clusters)
    values = np.asarray(differences, dtype=np.float64)
    groups, n = len(sizes), len(values)
    if groups < 2 or not values.any() or values.var() == 0:
        return math.nan
    residuals = sums[:, 0] - values.mean() * sizes
    return float(groups / (groups - 1) * np.sum(residuals**2) / n**2 / (values.var() / n))
