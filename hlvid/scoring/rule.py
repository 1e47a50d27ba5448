"""The one rule by which one system is called better than another.

A difference counts as shown when the clustered sign-flip test rejects *and* the clustered interval excludes 0.
`compare` (verdicts), `ranks` (places) and `power` (what could be found) all ask here, so they cannot differ.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from hlvid.scoring.clusters import Floats, cluster_sums, standard_error
from hlvid.scoring.intervals import Interval
from hlvid.scoring.multiple import holm
from hlvid.scoring.paired import difference_interval, sign_flip
from hlvid.scoring.table import Table

Pairs = Sequence[tuple[int, int]]


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
    return [sign_flip(sums[:, one] - sums[:, other]) for one, other in pairs]


def together(table: Table) -> dict[tuple[int, int], tuple[float, float]]:
    """Of all pairs of the table, in order, p as it is and after Holm's correction over all of them."""
    return dict(_together(_sums(table).tobytes(), len(table.systems)))


@lru_cache(maxsize=8)  # a board asks for places, for comparisons and for its page
def _together(sums: bytes, systems: int) -> tuple[tuple[tuple[int, int], tuple[float, float]], ...]:
    columns = np.frombuffer(sums, dtype=np.float64).reshape(-1, systems).T
    pairs = list(combinations(range(systems), 2))
    raw = [sign_flip(columns[one] - columns[other]) for one, other in pairs]
    return tuple(zip(pairs, zip(raw, holm(raw), strict=True), strict=True))


def intervals(table: Table, pairs: Pairs, *, level: float = 0.95) -> list[Interval]:
    """Interval of the difference of each (column, column)."""
    if table.cluster_count < 2:
        reason = "one recording says nothing about others"
        return [Interval(-1.0, 1.0, level, "clustered", reason) for _ in pairs]
    sums, sizes = _sums(table), table.cluster_sizes
    effective, total = table.effective_clusters, float(sizes.sum())
    found = []
    for one, other in pairs:
        column = sums[:, one] - sums[:, other]
        error = float(standard_error(column[:, None], sizes)[0])
        seen = float(column.sum()) / total
        found.append(difference_interval(seen, error, clusters=effective, level=level))
    return found


def _sums(table: Table) -> Floats:
    return cluster_sums(table.correct, table.clusters, table.weights)[0]
