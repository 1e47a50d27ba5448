"""Where a new run would stand: its place among the entries, and against its neighbours one by one.

All statistics come from `hlvid.scoring`; this module only brings submissions into its shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hlvid.scoring.accuracy import Row
from hlvid.scoring.compare import Comparison, compare_table
from hlvid.scoring.ranks import Rank, rank_intervals
from hlvid.scoring.table import MeanOf, Table
from leaderboard.board import Entry

NEIGHBOURS = 2  # on either side


@dataclass(frozen=True)
class Standing:
    """Where a run would stand: `rank` among scored entries, paired comparisons with its neighbours.

    `reported_above` counts reported numbers that are higher; they allow no paired comparison.
    """

    rank: Rank
    of: int
    comparisons: tuple[Comparison, ...]
    reported_above: int


def stand(
    name: str, rows: Sequence[Row], entries: Sequence[Entry], mean_of: MeanOf = "questions"
) -> Standing:
    """Put a run among the entries of its section; one of the same name is replaced by it."""
    others = {entry.name: entry for entry in entries if entry.scored and entry.name != name}
    table = Table.of({name: rows, **{other: entry.rows for other, entry in others.items()}}, mean_of)
    ranks = {rank.system: rank for rank in rank_intervals(table)}
    own = ranks[name]
    ordered = sorted(others, key=lambda other: (abs(ranks[other].place - own.place), other))
    better = [other for other in ordered if ranks[other].accuracy > own.accuracy][:NEIGHBOURS]
    worse = [other for other in ordered if other not in better and ranks[other].accuracy <= own.accuracy]
    near = sorted([*better, *worse[:NEIGHBOURS]], key=lambda other: (ranks[other].place, other))
    above = sum(not entry.scored and entry.accuracy > own.accuracy for entry in entries)
    # Corrected over all pairs, as the places are: the two could contradict each other else.
    pairs = compare_table(table, only=[(0, table.systems.index(other)) for other in near])
    return Standing(own, len(ranks), tuple(pairs), above)
