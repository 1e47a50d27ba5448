"""Means, differences, ranks and fitted lines with intervals that know which measurements belong together.

Example::

    mean(losses, clips)                       # Estimate(value=0.21, low=0.18, high=0.24, n=384, clusters=24)
    share(gazed, clips)                       # of hits, between 0 and 1
    difference(flow, gazed, clips)            # gazed minus not gazed
    rank_correlation(scale, variance, images) # Spearman's rho, its interval, p and what p takes for granted

Patches of a clip and frames of a video are not independent: intervals are clustered (by clip, or recording where
known), t intervals with `hlvid.scoring`'s standard errors; shares have the intervals of accuracies.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hlvid.scoring.clusters import cluster_sums, combined, critical_value, effective_clusters
from hlvid.scoring.intervals import clustered

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval (NaN where fewer than two clusters say nothing about others)."""

    value: float
    low: float
    high: float
    n: int
    clusters: int


def ends(estimate: Estimate) -> dict[str, float]:
    """An estimate as the columns of a figure's CSV."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


@dataclass(frozen=True)
class Ranks:
    """Spearman's rho with a clustered interval; p is of scipy's t test, which takes all n as independent."""

    rho: Estimate
    p: float

    @property
    def text(self) -> str:
        """As a caption quotes it."""
        rho = self.rho
        return (
            f"Spearman's rho {rho.value:.2f} [{rho.low:.2f}, {rho.high:.2f}] (interval: {rho.clusters} clusters; "
            f"p {_p(self.p)}, two-sided t test on n = {rho.n} taken as independent)"
        )


def number(count: int, what: str) -> str:
    """ "1 clip", "2 clips"."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def intervals(clusters: int, what: str) -> str:
    """What a caption says of intervals whose clusters are `what`, for example "3 videos"."""
    return f"95 %, clustered, {what}" if clusters > 1 else f"none, {what} says nothing about others"


def mean(values: ArrayLike, clusters: Sequence[Hashable], least: float = -math.inf) -> Estimate:
    """The mean of `values` (n,), NaN left out, with its interval, which never reaches below `least`."""
    table = np.asarray(values, float)
    known = np.isfinite(table)
    labels = [label for label, good in zip(clusters, known, strict=True) if good]
    if not labels:
        return Estimate(math.nan, math.nan, math.nan, 0, 0)
    value = float(table[known].mean())
    return _estimate(value, (table[known] - value) / len(labels), labels, least=least)


def share(hits: ArrayLike, clusters: Sequence[Hashable]) -> Estimate:
    """The share of `hits` (n,), 0 to 1 each, with the interval of accuracies: it knows that shares end at 0 and 1."""
    table = np.asarray(hits, float)
    groups = len(set(clusters))
    value = float(table.mean()) if len(table) else math.nan
    if groups < 2:
        return Estimate(value, math.nan, math.nan, len(table), groups)
    interval = clustered(table, clusters)
    return Estimate(value, interval.low, interval.high, len(table), groups)


def difference(values: ArrayLike, first: ArrayLike, clusters: Sequence[Hashable]) -> Estimate:
    """Mean of the `first` group (bool (n,)) minus the mean of the rest, both of the same clusters."""
    table, group = np.asarray(values, float), np.asarray(first, bool)
    if not group.any() or group.all():
        return Estimate(math.nan, math.nan, math.nan, len(table), len(set(clusters)))
    one, rest = float(table[group].mean()), float(table[~group].mean())
    influence = np.where(group, (table - one) / group.sum(), -(table - rest) / (~group).sum())
    return _estimate(one - rest, influence, clusters)


def rank_correlation(x: ArrayLike, y: ArrayLike, clusters: Sequence[Hashable]) -> Ranks:
    """Spearman's rho of x and y (n,) with its clustered interval; ranks are taken once, over all values."""
    from scipy.stats import rankdata, spearmanr, zscore

    a, b = zscore(rankdata(np.asarray(x, float))), zscore(rankdata(np.asarray(y, float)))
    test = spearmanr(np.asarray(x, float), np.asarray(y, float))
    rho = float(test.statistic)
    return Ranks(
        _estimate(rho, (a * b - rho * (a**2 + b**2) / 2) / len(a), clusters, -1.0, 1.0), float(test.pvalue)
    )


def fitted_line(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[Hashable], at: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Least squares of y on x (n,), evaluated `at` (m,): the line, and the ends of its 95 % interval.

    The interval is clustered (a sandwich estimate); NaN with fewer than two clusters.
    """
    a, b = np.asarray(x, float), np.asarray(y, float)
    design, where = (
        np.stack([a, np.ones_like(a)], 1),
        np.stack([np.asarray(at, float), np.ones(np.size(at))], 1),
    )
    inverse = np.linalg.pinv(design.T @ design)
    best = inverse @ design.T @ b
    influence = (design @ inverse @ where.T) * (b - design @ best)[:, None]  # (n, m)
    found = [_estimate(float(v), one, clusters) for v, one in zip(where @ best, influence.T, strict=True)]
    return where @ best, np.array([one.low for one in found]), np.array([one.high for one in found])


def _estimate(
    value: float,
    influence: Floats,
    clusters: Sequence[Hashable],
    least: float = -math.inf,
    most: float = math.inf,
) -> Estimate:
    """With its interval, cut at the ends of what the value can be.

    `influence` (n,) is what each item adds to the estimate's error, to first order; where no cluster adds any there is
    no spread to see, which is not to say that there is none.
    """
    sums, sizes = cluster_sums(influence, clusters)
    groups = len(sizes)
    error = float(combined(sums, sizes)[0]) if groups > 1 and math.isfinite(value) else 0.0
    if not error > 1e-12:
        return Estimate(value, math.nan, math.nan, len(influence), groups)
    half = critical_value(0.95, effective_clusters(sizes)) * error
    return Estimate(value, max(value - half, least), min(value + half, most), len(influence), groups)


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 1e-4 else "< 0.0001"
