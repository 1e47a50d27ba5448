"""The one rule by which one system is called better than another.

Example::

    p = p_values(table, [(0, 1), (0, 2)])                # sign-flip tests, before Holm's correction
    ends = intervals(table, [(0, 1)], level=0.95)        # recordings resampled
    decide(p[0], ends[0])                                # 1: the first is better, -1: the second, 0: not shown

A difference counts as shown when the clustered sign-flip test rejects *and* the clustered interval excludes 0.
`compare` (verdicts), `ranks` (places) and `power` (what could be found) all ask here, so they cannot differ.
"""

from collections.abc import Sequence

import numpy as np

from hlvid.scoring.intervals import Interval
from hlvid.scoring.paired import difference_interval, sign_flip_of_sums
from hlvid.scoring.resampling import Floats, cluster_sums, resample_means
from hlvid.scoring.table import Table

Pairs = Sequence[tuple[int, int]]

_BLOCK = 200  # pairs whose draws are held at once


def decide(p: float, interval: Interval) -> int:
    """1 if the first system is better, -1 if the second is, 0 if neither is shown to be.

    Args:
        p: of the sign-flip test, corrected where several pairs are looked at.
        interval: of the first's accuracy minus the second's; 1 - its level is what p has to be below.
    """
    if p >= 1 - interval.level or 0 in interval:
        return 0
    return 1 if interval.low > 0 else -1


def p_values(table: Table, pairs: Pairs) -> list[float]:
    """p of the sign-flip test for each (column, column) of the table."""
    sums = _sums(table)
    return [sign_flip_of_sums(sums[:, one] - sums[:, other]) for one, other in pairs]


def intervals(
    table: Table, pairs: Pairs, *, level: float = 0.95, draws: int = 10_000, seed: int = 0
) -> list[Interval]:
    """Interval of the difference of each (column, column); all share the same draws of recordings."""
    if table.cluster_count < 2:
        reason = "one recording says nothing about others"
        return [Interval(-1.0, 1.0, level, "cluster bootstrap", reason) for _ in pairs]
    sums, sizes = _sums(table), table.cluster_sizes
    found: list[Interval] = []
    for start in range(0, len(pairs), _BLOCK):
        block = pairs[start : start + _BLOCK]
        columns = np.stack([sums[:, one] - sums[:, other] for one, other in block], axis=1)
        resampled = resample_means(columns, sizes, draws=draws, seed=seed)
        found += [_interval(table, pair, resampled[:, at], level) for at, pair in enumerate(block)]
    return found


def _interval(table: Table, pair: tuple[int, int], draws: Floats, level: float) -> Interval:
    differences = table.differences(*pair)
    return difference_interval(
        draws,
        float(table.weights @ differences / table.weights.sum()),
        clusters=table.effective_clusters,
        level=level,
    )


def _sums(table: Table) -> Floats:
    return cluster_sums(table.correct, table.clusters, table.weights)[0]
