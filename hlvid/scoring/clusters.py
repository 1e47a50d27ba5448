"""What recordings do to a number: sums per recording, the standard error that follows, and how wide to read it.

Questions about one recording are not independent, so what varies is the recording. An accuracy is a ratio of sums
(right answers over questions), because recordings differ in size; its variance is the linearised one (Cochran 1977,
section 6; Liang and Zeger 1986), which the cluster bootstrap
tends to.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]


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


def standard_error(sums: Floats, sizes: Floats) -> Floats:
    """Standard error of each column's mean, clusters being what varies.

    Args:
        sums: (G, K) sum of each cluster and column; G at least 2.
        sizes: (G,) items in each cluster, or the sums of their weights.

    Returns:
        (K,) of sum s_g / sum n_g.
    """
    total = sizes.sum()
    return combined((sums - sizes[:, None] * (sums.sum(axis=0) / total)) / total, sizes)


def combined(errors: Floats, sizes: Floats) -> Floats:
    """Standard error (K,) from what each cluster adds to an estimate's error, (G, K), to first order.

    A cluster pulls the estimate towards itself, and so hides part of its own error: 1 / (1 - n_g / n) gives it back
    (Bell and McCaffrey 2002, CR2); for clusters of one size that is the usual G / (G - 1).
    """
    given_back = 1 / (1 - sizes / sizes.sum())
    return np.asarray(np.sqrt(given_back @ errors**2), dtype=np.float64)


def effective_clusters(sizes: ArrayLike) -> float:
    """How many clusters of equal size would say as much: (sum m)^2 / sum m^2.

    HLVid's 30 recordings, one of which holds 59 of 268 questions, count as 12.3.
    """
    items = np.asarray(sizes, dtype=np.float64)
    return float(items.sum() ** 2 / (items**2).sum())


def critical_value(level: float, clusters: float) -> float:
    """Standard errors on each side of an interval: Student's t with (effective) clusters - 1 degrees of freedom."""
    check_level(level)
    return float(stdtrit(max(clusters - 1, 1e-3), 0.5 + level / 2))


def check_level(level: float) -> None:
    """Raise ValueError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give a share between 0 and 1, such as 0.95")
