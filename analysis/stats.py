"""Means, differences, ranks and fitted lines with intervals that know which measurements belong together.

Patches of a clip and frames of a video are not independent: intervals are clustered (by clip, or recording where
known), t intervals on the jackknife's standard errors; shares have the intervals of accuracies.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hlvid.scoring.clusters import cluster_sums, critical_value, effective_clusters
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
    return _estimate(lambda m: m[:, :1], table[known, None], labels, least=least)[0]


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
    columns = np.stack([table * group, group, table * ~group, ~group], 1)
    return _estimate(lambda m: m[:, :1] / m[:, 1:2] - m[:, 2:3] / m[:, 3:], columns, clusters)[0]


def rank_correlation(x: ArrayLike, y: ArrayLike, clusters: Sequence[Hashable]) -> Ranks:
    """Spearman's rho of x and y (n,) with its clustered interval; ranks are taken once, over all values."""
    from scipy.stats import rankdata, spearmanr

    a, b = rankdata(np.asarray(x, float)), rankdata(np.asarray(y, float))
    a, b = (a - a.mean()) / len(a), (b - b.mean()) / len(b)

    def rho(m: Floats) -> Floats:
        spread = (m[:, 3] - m[:, 0] ** 2) * (m[:, 4] - m[:, 1] ** 2)
        return np.asarray((m[:, 2] - m[:, 0] * m[:, 1]) / np.sqrt(np.maximum(spread, 0)))[:, None]

    (found,) = _estimate(rho, np.stack([a, b, a * b, a * a, b * b], 1), clusters, -1.0, 1.0)
    return Ranks(found, float(spearmanr(np.asarray(x, float), np.asarray(y, float)).pvalue))


def fitted_line(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[Hashable], at: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Least squares of y on x (n,), evaluated `at` (m,): the line, and the ends of its 95 % interval."""
    a, b, where = np.asarray(x, float), np.asarray(y, float), np.asarray(at, float)

    def line(m: Floats) -> Floats:
        slope = (m[:, 2] - m[:, 0] * m[:, 1]) / np.maximum(m[:, 3] - m[:, 0] ** 2, 1e-12)
        return np.asarray(m[:, 1, None] + slope[:, None] * (where[None] - m[:, 0, None]))

    found = _estimate(line, np.stack([a, b, a * b, a * a], 1), clusters)
    value, low, high = np.array([(one.value, one.low, one.high) for one in found]).T
    return value, low, high


def _estimate(
    statistic: Callable[[Floats], Floats],
    columns: Floats,
    clusters: Sequence[Hashable],
    least: float = -math.inf,
    most: float = math.inf,
) -> list[Estimate]:
    """What `statistic` makes of the columns' means, with intervals, cut at the ends of what a value can be.

    Args:
        statistic: of means (r, K), r times: (r, m) values.
        columns: (n, K) numbers.
        clusters: n labels.

    Standard errors are the jackknife's: each cluster left out once (Efron and Stein 1981), which also knows how far a
    single cluster pulls a correlation or a line. Where none moves the value no spread is seen, which is not to say that
    there is none: no interval, as with fewer than two clusters.
    """
    sums, sizes = cluster_sums(columns, clusters)
    groups = len(sizes)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = statistic(sums.sum(0, keepdims=True) / sizes.sum())[0]
        without = statistic((sums.sum(0) - sums) / (sizes.sum() - sizes)[:, None])
    errors = np.sqrt((groups - 1) / groups * ((without - values) ** 2).sum(0))
    half = critical_value(0.95, effective_clusters(sizes)) * np.where(errors > 1e-12, errors, math.nan)
    return [
        Estimate(float(v), max(float(v - h), least), min(float(v + h), most), len(columns), groups)
        if math.isfinite(v) and math.isfinite(h)
        else Estimate(float(v), math.nan, math.nan, len(columns), groups)
        for v, h in zip(values, half, strict=True)
    ]


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 1e-4 else "< 0.0001"
