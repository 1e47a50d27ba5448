"""The mean of category accuracies, with an interval: what MVBench calls average and MLVU calls M-avg.

Example::

    category_mean(rows)             # each category counts the same, however many questions it has
    category_mean_interval(rows)    # videos drawn anew, 95 %

Rows are those of `hlvid.scoring.accuracy.summarize`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hlvid.scoring.accuracy import cluster_of
from hlvid.scoring.intervals import FEW, Interval, score_interval
from hlvid.scoring.resampling import (
    cluster_sums,
    critical_value,
    effective_clusters,
    percentile_interval,
    resample_means,
)

Row = Mapping[str, Any]


def category_mean(rows: Sequence[Row]) -> float:
    """Mean over the categories that occur of the share of right answers, 0 to 1; NaN without rows."""
    shares = []
    for category in dict.fromkeys(row["category"] for row in rows):
        answers = [bool(row["correct"]) for row in rows if row["category"] == category]
        shares.append(sum(answers) / len(answers))
    return sum(shares) / len(shares) if shares else math.nan


def category_mean_interval(
    rows: Sequence[Row], *, level: float = 0.95, draws: int = 10_000, seed: int = 0
) -> Interval:
    """Interval of `category_mean` when whole videos are drawn anew.

    A draw without any question of a category averages the others. With few videos, or answers that do not
    vary, the bootstrap's variance goes into Wilson's formula, as `cluster_bootstrap` does it.
    """
    clusters = [cluster_of(row) for row in rows]
    if len(set(clusters)) < 2:
        reason = "one video says nothing about others" if rows else "no answers"
        return Interval(0.0, 1.0, level, "cluster bootstrap", reason)
    sums, sizes = cluster_sums(_table(rows), clusters)
    right, asked = np.split(resample_means(sums, sizes, draws=draws, seed=seed), 2, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nanmean(np.where(asked > 0, right / asked, np.nan), axis=1)
    effective, spread = effective_clusters(sizes), float(means.std(ddof=1))
    if effective >= FEW and spread > 1e-12:
        return Interval(*percentile_interval(means, level, effective), level, "cluster bootstrap")
    value = category_mean(rows)
    weight = effective if spread < 1e-12 else value * (1 - value) / spread**2
    ends = score_interval(value, weight, critical_value(level, effective))
    return Interval(*ends, level, "cluster bootstrap, score")


def _table(rows: Sequence[Row]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(n, 2K): right in category k, then asked in category k."""
    categories = list(dict.fromkeys(row["category"] for row in rows))
    asked = np.array([[row["category"] == one for one in categories] for row in rows], dtype=np.float64)
    right = asked * np.array([[bool(row["correct"])] for row in rows], dtype=np.float64)
    return np.concatenate([right, asked], axis=1)
