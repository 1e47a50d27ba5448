"""Intervals of an accuracy: Wilson's, and the cluster bootstrap over recordings; and of any other estimate.

Example::

    wilson(133, 268)                          # Interval(low=0.437, high=0.556, level=0.95, method='wilson')
    cluster_bootstrap(correct, recordings)    # wider: 59 of HLVid's 268 questions share one recording

Which to read: Wilson's says how far another set of questions *about the same recordings* might move the
number; the clustered one, how far other recordings might, which is what a benchmark is for. Simulated coverage, nominal
95 %, on HLVid's own structure and on HLVid-Mini's eight recordings, right answers correlated within recordings
(ICC 0 to 0.3): Wilson 42 to 97 %, plain percentile bootstrap 83 to 94 %, ours 93 to 97 % (`benchmarks/scoring.py`).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from hlvid.scoring.resampling import (
    Floats,
    check_level,
    cluster_sums,
    critical_value,
    effective_clusters,
    percentile_interval,
    resample_means,
)

FEW = 10  # effective clusters below which quantiles of the draws miss the tails


@dataclass(frozen=True)
class Interval:
    """A confidence interval, ends included.

    Where nothing can be said the ends are those of the scale (0 and 1 for a share, -1 and 1 for a
    difference) and `reason` says why; both ends are numbers always, so that JSON and plots need no special
    case.
    """

    low: float
    high: float
    level: float
    method: str
    reason: str | None = None

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson(correct: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a share of independent answers, without continuity correction.

    Raises:
        ValueError: not 0 <= correct <= n, or a level outside (0, 1).
    """
    check_level(level)
    if not 0 <= correct <= n:
        raise ValueError(f"correct is {correct} of n = {n}; allowed: 0 to n")
    if n == 0:
        return Interval(0.0, 1.0, level, "wilson", "no answers")
    low, high = score_interval(correct / n, n, float(ndtri(0.5 + level / 2)))
    return Interval(low, high, level, "wilson")


def cluster_bootstrap(
    correct: ArrayLike,
    clusters: Sequence[Hashable],
    draws: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    widen: bool = True,
) -> Interval:
    """Interval of an accuracy when whole clusters (recordings) are drawn anew.

    Args:
        correct: (n,) 1 or 0 (or shares) for each answer.
        clusters: (n,) the recording of each.
        draws: bootstrap samples, at least 100.
        seed: of the draws.
        level: for example 0.95.
        widen: move the quantiles outwards for few clusters (t quantile of the effective number). With fewer
            than 10 effective clusters, or no spread at all, the bootstrap's variance goes into Wilson's
            formula instead. False gives the textbook percentile interval.

    Returns:
        The interval; [0, 1] with a reason for no answers or a single cluster.
    """
    check_level(level)
    sums, sizes = cluster_sums(correct, clusters)
    reason = _nothing_known(len(sizes))
    if reason:
        return Interval(0.0, 1.0, level, "cluster bootstrap", reason)
    means = resample_means(sums, sizes, draws=draws, seed=seed)[:, 0]
    if not widen:
        return Interval(*percentile_interval(means, level, None), level, "cluster bootstrap, percentile")
    effective = effective_clusters(sizes)
    spread = float(means.std(ddof=1))
    if effective < FEW or spread < 1e-12:
        value = float(sums.sum() / sizes.sum())
        weight = _effective_answers(value, spread, effective)
        ends = score_interval(value, weight, critical_value(level, effective))
        return Interval(*ends, level, "cluster bootstrap, score")
    return Interval(*percentile_interval(means, level, effective), level, "cluster bootstrap")


def estimate_interval(
    value: float, draws: Floats, clusters: float, level: float = 0.95
) -> tuple[float, float]:
    """Ends of the interval of any estimate (a mean, a difference, a correlation) from its bootstrap draws.

    Args:
        value: the estimate itself.
        draws: (draws,) the estimate on resampled clusters; NaN where a draw has none, left out.
        clusters: effective number of clusters drawn.
        level: for example 0.95.

    Returns:
        Percentiles moved outwards for few clusters; with fewer than 10 effective ones a t interval on the bootstrap's
        standard error, since resampled means of two or three clusters have no tails. (NaN, NaN) where nothing is
        known about other clusters: fewer than two, a value that is none, fewer than 100 draws, or draws all alike.
    """
    known = draws[np.isfinite(draws)]
    # Draws that are all alike show no spread, which is not to say that there is none.
    if clusters <= 1 or not math.isfinite(value) or len(known) < 100 or float(np.ptp(known)) < 1e-12:
        return math.nan, math.nan
    if clusters >= FEW:
        return percentile_interval(known, level, clusters)
    half = critical_value(level, clusters) * float(known.std(ddof=1))
    return value - half, value + half


def score_interval(value: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's formula for a share `value` of `n` answers (not need be whole) at `z` standard errors."""
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    low = 0.0 if value <= 0 else max(0.0, middle - half)  # rounding would leave -1e-17
    high = 1.0 if value >= 1 else min(1.0, middle + half)
    return low, high


def _effective_answers(value: float, spread: float, effective: float) -> float:
    """Independent answers with the bootstrap's variance.

    Where the draws do not vary (all right, all wrong) each cluster counts as one answer: the cautious end.
    """
    return effective if spread < 1e-12 else value * (1 - value) / spread**2


def _nothing_known(groups: int) -> str | None:
    if groups == 0:
        return "no answers"
    return "one recording says nothing about others" if groups == 1 else None
