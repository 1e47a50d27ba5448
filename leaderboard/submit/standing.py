"""Where systems stand among each other: rank intervals, and a new run against its neighbours.

Example::

    rank_intervals({"blind": rows, "reader": other_rows})["reader"].text          # "1 to 2"
    stand("mine", rows, section.entries)                                          # place and paired comparisons

All statistics come from `hlvid.scoring`; this module only brings submissions into its shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hlvid.scoring.accuracy import Row
from hlvid.scoring.compare import Comparison, compare
from hlvid.scoring.ranks import Rank
from hlvid.scoring.ranks import rank_intervals as ranks_of
from hlvid.scoring.table import MeanOf, Table

if TYPE_CHECKING:
    from leaderboard.board import Entry

DRAWS = 10_000
MOST_CELLS = 1_000_000  # draws x systems: with hundreds of systems fewer draws, so that a page takes seconds
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


def rank_intervals(systems: Mapping[str, Sequence[Row]], mean_of: MeanOf = "questions") -> dict[str, Rank]:
    """The `Rank` of each system; all answered the same questions, which (or whose categories) count alike."""
    if not systems:
        return {}
    draws = min(DRAWS, max(1_000, MOST_CELLS // len(systems)))
    return {rank.system: rank for rank in ranks_of(Table.of(systems, mean_of), draws=draws)}


def stand(
    name: str, rows: Sequence[Row], entries: Sequence["Entry"], mean_of: MeanOf = "questions"
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
