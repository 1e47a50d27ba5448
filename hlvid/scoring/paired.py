"""Two systems on the same questions: exact McNemar, a clustered sign-flip test, an interval of the difference.

>>> round(mcnemar(16, 13), 2)                            # of 29 disagreements, 16 go one way
0.71

McNemar's test takes questions as independent. The sign-flip test gives each recording one sign, since a
system that copes with a recording copes with all of its questions. Both are exact, without random draws.
"""

import math
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr

from hlvid.scoring.clusters import Floats, cluster_sums, critical_value
from hlvid.scoring.intervals import Interval, wilson

_TRIED = 12  # recordings with weighted sums whose swaps are all tried (4,096); more are counted on a grid
_STEPS, _MOST = 64, 1 << 14  # of that grid: steps a recording, and at most, from 0 to the farthest total


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


def sign_flip(sums: Floats) -> float:
    """Two-sided p-value of the permutation test that swaps the two systems in whole clusters.

    Each of the 2^G ways to swap is equally likely if the systems are alike; the p-value is the share of them whose
    total is at least as far from 0 as the one seen. With every question its own cluster this is McNemar's exact test.

    Args:
        sums: (G,) of each cluster the (weighted) sum of differences: 1 where only A is right, -1 where only B is.

    Whole numbers are counted exactly, cluster by cluster. Of others all swaps are tried where these are few; else
    they are rounded to a grid fine enough for two digits of p.
    """
    sizes = np.abs(sums[np.abs(sums) > 1e-9 * max(1.0, float(np.abs(sums).max(initial=0.0)))])
    if not len(sizes):
        return 1.0
    whole = np.rint(sums).astype(np.int64)
    if np.abs(sums - whole).max() <= 1e-9:
        return _counted(np.abs(whole[whole != 0]), abs(int(whole.sum())))
    if len(sizes) <= _TRIED:
        totals = np.array(list(product((1.0, -1.0), repeat=len(sizes)))) @ sizes
        return float(np.mean(np.abs(totals) >= abs(sums.sum()) * (1 - 1e-9)))
    step = float(sizes.sum()) / min(_MOST, _STEPS * len(sizes))
    return _counted(np.rint(sizes / step).astype(np.int64), round(abs(float(sums.sum())) / step))


def _counted(sizes: NDArray[np.int64], seen: int) -> float:
    """P(|±s1 ± s2 …| >= seen) for whole sizes above 0: clusters of one size are a binomial, sizes are convolved."""
    chances = np.ones(1)  # chances[u]: that the sizes with a plus add up to u; the total is then 2 u - reach
    counts = np.bincount(sizes)
    counts[:1] = 0  # a size of 0 turns nothing
    for size in np.flatnonzero(counts):
        ups = np.zeros(int(size * counts[size]) + 1)
        ups[:: int(size)] = _coins(int(counts[size]))
        chances = np.convolve(chances, ups)
    reach = len(chances) - 1
    far = np.abs(2 * np.arange(reach + 1) - reach) >= seen
    return min(1.0, float(chances[far].sum()))


@lru_cache(maxsize=1024)
def _coins(count: int) -> Floats:
    """(count + 1,) the chance of so many heads among `count` coins; each correctly rounded."""
    found, ways = [], 1
    for heads in range(count + 1):
        found.append(ways / 2**count)
        ways = ways * (count - heads) // (heads + 1)
    return np.array(found)


def least_p(recordings: int) -> float:
    """The smallest p-value of the sign-flip test on so many recordings: one system ahead on all of them."""
    return min(1.0, 2.0 ** (1 - recordings))


def difference_interval(difference: float, error: float, *, clusters: float, level: float) -> Interval:
    """Interval of a paired difference.

    Args:
        difference: the one seen, -1 to 1.
        error: its standard error, both systems on the same recordings (`clusters.standard_error`).
        clusters: effective number of recordings.
        level: for example 0.95.

    Returns:
        A t interval within [-1, 1]. Where recordings do not vary, as far to each side as unseen disagreement
        could reach, with the reason.
    """
    alike = error < 1e-12
    unseen = wilson(0, max(1, round(clusters)), level).high
    half = unseen if alike else critical_value(level, clusters) * error
    reason = "every recording gives the same difference" if alike else None
    return Interval(max(-1.0, difference - half), min(1.0, difference + half), level, "clustered", reason)


def independent_error(differences: ArrayLike, weights: Floats) -> float:
    """Standard error of a weighted mean difference, (n,), had every question a recording of its own."""
    values, shares = np.asarray(differences, dtype=np.float64), weights / weights.sum()
    return math.sqrt(float(np.sum(shares**2 * (values - shares @ values) ** 2)))


def paired_design_effect(
    differences: ArrayLike, clusters: Sequence[Hashable], weights: Floats | None = None
) -> float:
    """How many times the variance of a paired difference is larger than for independent questions.

    For `power.minimum_detectable_difference`. NaN with one cluster or no disagreement.
    """
    values = np.asarray(differences, dtype=np.float64)
    shares = np.full(len(values), 1 / max(1, len(values))) if weights is None else weights / weights.sum()
    sums, sizes = cluster_sums(values, clusters, shares)
    groups, simple = len(sizes), independent_error(values, shares) ** 2
    if groups < 2 or simple < 1e-15:
        return math.nan
    residuals = sums[:, 0] - float(shares @ values) * sizes
    return float(groups / (groups - 1) * np.sum(residuals**2) / simple)
