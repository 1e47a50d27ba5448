"""Intervals of an accuracy: Wilson's for independent answers, and the one that knows the recordings.

>>> ends = wilson(133, 268)
>>> round(ends.low, 3), round(ends.high, 3)
(0.437, 0.556)

Which to read: Wilson's says how far another set of questions *about the same recordings* might move the
number; the clustered one, how far other recordings might, which is what a benchmark is for. Both are closed forms:
the page, `hlvid compare` and every table print the same digits. Simulated coverage is in `benchmarks/scoring.py`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from hlvid.scoring.clusters import check_level, cluster_sums, combined, critical_value, effective_clusters


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


def wilson(correct: float, n: int, level: float = 0.95) -> Interval:
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


def clustered(
    correct: ArrayLike,
    clusters: Sequence[Hashable],
    level: float = 0.95,
    categories: Sequence[Hashable] | None = None,
) -> Interval:
    """Interval of an accuracy if other recordings had been asked about.

    The cluster-robust variance goes into Wilson's formula, with Student's t of the effective number of recordings.

    Args:
        correct: (n,) 1 or 0 (or shares) for each answer.
        clusters: (n,) the recording of each.
        level: for example 0.95.
        categories: (n,) of each; the interval is then of the mean of the categories' accuracies.

    Returns:
        The interval; [0, 1] with a reason for no answers or a single recording. Where recordings do not vary (all
        right, all wrong) each counts as one answer: the cautious end.
    """
    check_level(level)
    values = np.asarray(correct, dtype=np.float64)
    _, sizes = cluster_sums(values, clusters)
    if len(sizes) < 2:
        reason = "one recording says nothing about others" if len(sizes) else "no answers"
        return Interval(0.0, 1.0, level, "clustered", reason)
    kinds = ["all"] * len(values) if categories is None else categories
    totals, counts = cluster_sums(values, kinds)
    order = {kind: at for at, kind in enumerate(dict.fromkeys(kinds))}
    own = np.array([order[kind] for kind in kinds])
    means = totals[:, 0] / counts
    errors, _ = cluster_sums((values - means[own]) / counts[own] / len(means), clusters)
    value, variance = float(means.mean()), float(combined(errors, sizes)[0] ** 2)
    effective = effective_clusters(sizes)
    answers = effective if variance < 1e-24 else value * (1 - value) / variance
    return Interval(*score_interval(value, answers, critical_value(level, effective)), level, "clustered")


def score_interval(value: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's formula for a share `value` of `n` answers (not need be whole) at `z` standard errors."""
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)) ** 0.5
    low = 0.0 if value <= 0 else max(0.0, middle - half)  # rounding would leave -1e-17
    high = 1.0 if value >= 1 else min(1.0, middle + half)
    return low, high
