"""The cluster bootstrap's engine: sums per recording, resampled recordings, and how wide to read the result.

Example::

    sums, sizes = cluster_sums(correct, recordings)            # (G, K), (G,)
    means = resample_means(sums, sizes, draws=10_000, seed=0)  # (draws, K): one column a system

Questions about one recording are not independent, so whole recordings are drawn with replacement. A draw's
accuracy is a ratio of sums (right answers over questions of the drawn recordings), because recordings differ
in size. All columns share the same draws: differences and ranks of systems keep their pairing.
"""

from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

Floats = NDArray[np.float64]

_CELLS = 4_000_000  # draws x clusters held at once: 32 MB
_KEPT_CELLS = 1_000_000  # up to which drawn counts are kept: a board draws the same ones for each submission


def cluster_sums(
    values: ArrayLike, clusters: Sequence[Hashable], weights: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Add up per cluster.

    Args:
        values: (n,) or (n, K) numbers, for example 1 for a right answer; K systems.
        clusters: n labels, for example the recording of each question.
        weights: (n,) how much each value counts; None for 1 each.

    Returns:
        sums (G, K) and sizes (G,), the sums of the weights; clusters in order of first appearance.

    Raises:
        ValueError: the lengths differ.
    """
    table = np.asarray(values, dtype=np.float64)
    table = table.reshape(len(table), -1) if table.size else table.reshape(len(table), 1)
    if len(table) != len(clusters):
        raise ValueError(f"{len(table)} values but {len(clusters)} cluster labels; give one label a value")
    numbers: dict[Hashable, int] = {}
    index = np.array([numbers.setdefault(label, len(numbers)) for label in clusters], dtype=np.intp)
    counts = np.ones(len(table)) if weights is None else np.asarray(weights, dtype=np.float64)
    sums = np.zeros((len(numbers), table.shape[1]))
    np.add.at(sums, index, table * counts[:, None])
    return sums, np.bincount(index, weights=counts, minlength=len(numbers)).astype(np.float64)


def resample_means(sums: Floats, sizes: Floats, *, draws: int, seed: int) -> Floats:
    """Means of `draws` samples of G clusters with replacement.

    Args:
        sums: (G, K) sum of each cluster and system.
        sizes: (G,) items in each cluster, all above 0.
        draws: how many samples, at least 100.
        seed: the same seed gives the same draws, whatever K is.

    Returns:
        (draws, K) ratios of sums.
    """
    if draws < 100:
        raise ValueError(f"draws is {draws}; an interval needs at least 100 (10,000 is usual)")
    parts = [(times @ sums) / (times @ sizes)[:, None] for times in _times_drawn(len(sizes), draws, seed)]
    return np.concatenate(parts)


def _times_drawn(clusters: int, draws: int, seed: int) -> Iterator[Floats]:
    """Blocks (b, G) of multinomial counts: how often each cluster is in a draw; b adds up to `draws`."""
    if clusters * draws <= _KEPT_CELLS:
        yield _kept_counts(clusters, draws, seed)
        return
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // clusters)
    for start in range(0, draws, block):
        yield _counts(generator, min(block, draws - start), clusters)


@lru_cache(maxsize=8)  # at most 64 MB
def _kept_counts(clusters: int, draws: int, seed: int) -> Floats:
    counts = _counts(np.random.default_rng(seed), draws, clusters)
    counts.setflags(write=False)  # shared by all who ask
    return counts


def _counts(generator: np.random.Generator, draws: int, clusters: int) -> Floats:
    """(draws, G): how often each cluster is drawn when G are drawn with replacement."""
    drawn = generator.integers(0, clusters, size=(draws, clusters))
    drawn += np.arange(draws)[:, None] * clusters  # each row counts into its own stretch of one bincount
    counts = np.bincount(drawn.ravel(), minlength=draws * clusters)
    return counts.reshape(draws, clusters).astype(np.float64)


def effective_clusters(sizes: ArrayLike) -> float:
    """How many clusters of equal size would say as much: (sum m)^2 / sum m^2.

    HLVid's 30 recordings, one of which holds 59 of 268 questions, count as 12.3.
    """
    items = np.asarray(sizes, dtype=np.float64)
    return float(items.sum() ** 2 / (items**2).sum())


def critical_value(level: float, clusters: float) -> float:
    """Standard errors on each side of an interval, for a variance estimated from few clusters.

    Student's t with clusters - 1 degrees of freedom, times sqrt(G / (G - 1)) since the bootstrap's variance
    divides by G (Hesterberg 2015, "What teachers should know about the bootstrap", section 5.3).
    """
    check_level(level)
    freedom = max(clusters - 1, 1e-3)
    return float(stdtrit(freedom, 0.5 + level / 2) * np.sqrt((freedom + 1) / freedom))


def percentile_interval(draws: Floats, level: float, clusters: float | None) -> tuple[float, float]:
    """Quantiles of bootstrap draws.

    Args:
        draws: (draws,) values.
        level: for example 0.95.
        clusters: effective clusters, for which the quantiles are moved outwards; None for the plain
            percentile interval, which is too narrow with fewer than about 50.
    """
    check_level(level)
    tail = (1 - level) / 2 if clusters is None else float(ndtr(-critical_value(level, clusters)))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def check_level(level: float) -> None:
    """Raise ValueError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give a share between 0 and 1, such as 0.95")
