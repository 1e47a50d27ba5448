"""Places: which ones a system may have in truth, such as "2 to 5".

A place is 1 + the systems above it. One system is called above another where, and only where, `compare_table` of the
same systems says "better" (`hlvid.scoring.rule`, all pairs corrected together by Holm): those clearly above bound
the best place, those clearly below the worst. With 95 % probability all of these intervals hold the true
places. Percentiles of resampled ranks would not: among equal systems they favour whoever was lucky.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hlvid.errors import AnswerError
from hlvid.scoring.clusters import check_level
from hlvid.scoring.rule import decide, intervals, together
from hlvid.scoring.table import Table


@dataclass(frozen=True)
class Rank:
    """`place` as seen (equal accuracies share the better one), and the possible places `best` to `worst`."""

    system: str
    accuracy: float
    place: int
    best: int
    worst: int

    @property
    def text(self) -> str:
        """ "2 to 5", or "2" where it is certain."""
        return str(self.best) if self.best == self.worst else f"{self.best} to {self.worst}"


def rank_intervals(table: Table, *, level: float = 0.95) -> list[Rank]:
    """A `Rank` for each system of the table, in its order.

    Args:
        table: systems on the same questions.
        level: probability that all intervals hold the true places. With one recording every place is possible.

    Raises:
        AnswerError: no questions.
    """
    check_level(level)
    if not table.questions:
        raise AnswerError("no questions to rank on; give runs with answers")
    seen, above = table.accuracy, better(table, level=level)
    return [
        Rank(
            system=system,
            accuracy=float(seen[index]),
            place=1 + int((seen > seen[index] + 1e-12).sum()),
            best=1 + int(above[:, index].sum()),
            worst=len(seen) - int(above[index].sum()),
        )
        for index, system in enumerate(table.systems)
    ]


def better(table: Table, *, level: float = 0.95) -> NDArray[np.bool_]:
    """(S, S) true where the row's system is shown to be better than the column's, all pairs looked at together."""
    found = np.zeros((len(table.systems),) * 2, dtype=np.bool_)
    adjusted = {pair: p for pair, (_, p) in together(table).items()}
    # The interval is needed only where the test rejects: 500 systems make 124,750 pairs.
    rejected = [pair for pair, p in adjusted.items() if p < 1 - level]
    ends = intervals(table, rejected, level=level)
    for (one, other), interval in zip(rejected, ends, strict=True):
        sign = decide(adjusted[one, other], interval)
        found[one, other], found[other, one] = sign > 0, sign < 0
    return found
