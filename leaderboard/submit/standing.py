"""Where a new run would stand: its place among the entries, and against its neighbours one by one.

Example::

    stand("mine", rows, section.entries)                                          # place and paired comparisons

All statistics come from `hlvid.scoring`; this module only brings submissions into its shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hlvid.scoring.accuracy import Row
from hlvid.scoring.compare import Comparison, compare
from hlvid.scoring.ranks import Rank
from hlvid.scoring.table import MeanOf
from leaderboard.board import Entry
from leaderboard.scores import rank_intervals

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
    ranks = rank_intervals({name: rows, **{other: entry.rows for other, entry in others.items()}}, mean_of)
    own = ranks[name]
    ordered = sorted(others, key=lambda other: (abs(ranks[other].place - own.place), other))
    better = [other for other in ordered if ranks[other].accuracy > own.accuracy][:NEIGHBOURS]
    worse = [other for other in ordered if other not in better and ranks[other].accuracy <= own.accuracy]
    near = sorted([*better, *worse[:NEIGHBOURS]], key=lambda other: (ranks[other].place, other))
    above = sum(not entry.scored and entry.accuracy > own.accuracy for entry in entries)
    pairs = tuple(compare(rows, others[other].rows, (name, other), mean_of=mean_of) for other in near)
    return Standing(own, len(ranks), pairs, above)
