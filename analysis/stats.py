"""Means, differences, ranks and fitted lines with intervals that know which measurements belong together.

Example::

    mean(losses, clips)                       # Estimate(value=0.21, low=0.18, high=0.24, n=384, clusters=24)
    share(gazed, clips)                       # of hits, between 0 and 1
    difference(flow, gazed, clips)            # gazed minus not gazed
    rank_correlation(scale, variance, images) # Spearman's rho, its interval, p and what p takes for granted

Patches of a clip and frames of a video are not independent: whole clusters (clips, or recordings where known)
are drawn anew. Engine and intervals are those of the accuracies, `hlvid.scoring`.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hlvid.scoring.intervals import cluster_bootstrap, estimate_interval
from hlvid.scoring.resampling import cluster_sums, effective_clusters, resample_means

DRAWS = 2000
Floats = NDArray[np.float64]
DrawnLater = Callable[[], Floats]


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
    """Spearman's rho with a cluster-bootstrap interval; p is of scipy's t test, which takes all n as independent."""

    rho: Estimate
    p: float

    @property
    def text(self) -> str:
        """As a caption quotes it."""
        rho = self.rho
        return (
            f"Spearman's rho {rho.value:.2f} [{rho.low:.2f}, {rho.high:.2f}] (interval: {rho.clusters} clusters "
            f"resampled; p {_p(self.p)}, two-sided t test on n = {rho.n} taken as independent)"
        )


def number(count: int, what: str) -> str:
    """ "1 clip", "2 clips"."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def intervals(clusters: int, what: str, draws: int = DRAWS) -> str:
    """What a caption says of intervals whose clusters are `what`, for example "3 videos"."""
    return (
        f"95 %, {what} drawn anew ({draws} draws)"
        if clusters > 1
        else f"none, {what} says nothing about others"
    )


def mean(
    values: ArrayLike,
    clusters: Sequence[Hashable],
    draws: int = DRAWS,
    seed: int = 0,
    least: float = -math.inf,
) -> Estimate:
    """The mean of `values` (n,), NaN left out, with its interval, which never reaches below `least`."""
    table = np.asarray(values, float)
    known = np.isfinite(table)
    labels = [label for label, good in zip(clusters, known, strict=True) if good]
    if not labels:
        return Estimate(math.nan, math.nan, math.nan, 0, 0)
    sums, sizes = cluster_sums(table[known], labels)
    value = float(sums.sum() / sizes.sum())
    return _estimate(
        value, lambda: resample_means(sums, sizes, draws=draws, seed=seed)[:, 0], sizes, least=least
    )


def share(hits: ArrayLike, clusters: Sequence[Hashable], draws: int = DRAWS) -> Estimate:
    """The share of `hits` (n,), 0 to 1 each, with the interval of accuracies: it knows that shares end at 0 and 1."""
    table = np.asarray(hits, float)
    groups = len(set(clusters))
    if groups < 2:
        return Estimate(
            float(table.mean()) if len(table) else math.nan, math.nan, math.nan, len(table), groups
        )
    interval = cluster_bootstrap(table, clusters, draws=draws)
    return Estimate(float(table.mean()), interval.low, interval.high, len(table), groups)


def difference(
    values: ArrayLike, first: ArrayLike, clusters: Sequence[Hashable], draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Mean of the `first` group (bool (n,)) minus the mean of the rest, both drawn from the same clusters."""
    table, group = np.asarray(values, float), np.asarray(first, bool)
    columns = np.stack([table * group, group, table * ~group, ~group], 1)
    sums, sizes = cluster_sums(columns, clusters)
    total = sums.sum(0)
    value = float(total[0] / total[1] - total[2] / total[3]) if total[1] and total[3] else math.nan

    def drawn() -> Floats:
        m = resample_means(sums, sizes, draws=draws, seed=seed)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(m[:, 0] / m[:, 1] - m[:, 2] / m[:, 3])

    return _estimate(value, drawn, sizes)


def rank_correlation(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[Hashable], draws: int = 400, seed: int = 0
) -> Ranks:
    """Spearman's rho of x and y (n,) with the interval of whole clusters drawn anew.

    Ranks are taken once, over all values: a draw reweights them (a good approximation, and far quicker).
    """
    from scipy.stats import rankdata, spearmanr

    a, b = rankdata(np.asarray(x, float)), rankdata(np.asarray(y, float))
    a, b = (a - a.mean()) / len(a), (b - b.mean()) / len(b)
    sums, sizes = cluster_sums(np.stack([a, b, a * b, a * a, b * b], 1), clusters)
    test = spearmanr(np.asarray(x, float), np.asarray(y, float))

    def drawn() -> Floats:
        m = resample_means(sums, sizes, draws=draws, seed=seed)
        spread = (m[:, 3] - m[:, 0] ** 2) * (m[:, 4] - m[:, 1] ** 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((m[:, 2] - m[:, 0] * m[:, 1]) / np.sqrt(np.maximum(spread, 0)))

    return Ranks(_estimate(float(test.statistic), drawn, sizes, -1.0, 1.0), float(test.pvalue))


def fitted_line(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[Hashable], at: ArrayLike, draws: int = DRAWS, seed: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Least squares of y on x (n,), evaluated `at` (m,): the line, and the ends of its 95 % interval.

    The interval is of whole clusters drawn anew; NaN with fewer than two.
    """
    a, b, where = np.asarray(x, float), np.asarray(y, float), np.asarray(at, float)
    sums, sizes = cluster_sums(np.stack([a, b, a * b, a * a], 1), clusters)
    best = _line(sums.sum(0, keepdims=True) / sizes.sum(), where)[0]
    if len(sizes) < 2:
        return best, np.full_like(best, np.nan), np.full_like(best, np.nan)
    lines = _line(resample_means(sums, sizes, draws=draws, seed=seed), where)
    ends = [
        estimate_interval(float(v), column, effective_clusters(sizes))
        for v, column in zip(best, lines.T, strict=True)
    ]
    return best, np.array([low for low, _ in ends]), np.array([high for _, high in ends])


def _line(m: Floats, at: Floats) -> Floats:
    """Lines from means of x, y, xy, xx (rows of m), evaluated at `at`: (rows, m)."""
    spread = np.maximum(m[:, 3] - m[:, 0] ** 2, 1e-12)
    slope = (m[:, 2] - m[:, 0] * m[:, 1]) / spread
    return np.asarray(m[:, 1, None] + slope[:, None] * (at[None] - m[:, 0, None]))


def _estimate(
    value: float, drawn: DrawnLater, sizes: Floats, least: float = -math.inf, most: float = math.inf
) -> Estimate:
    """With its interval, cut at the ends of what the value can be."""
    n, groups = int(sizes.sum()), len(sizes)
    if groups < 2 or not math.isfinite(value):
        return Estimate(value, math.nan, math.nan, n, groups)
    low, high = estimate_interval(value, drawn(), effective_clusters(sizes))
    return Estimate(value, max(low, least), min(high, most), n, groups)


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 1e-4 else "< 0.0001"
