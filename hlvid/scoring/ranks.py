"""Rank intervals: which places a system may have in truth, such as "2 to 5".

Example::

    for rank in rank_intervals(Table.of(runs)):
        print(rank.system, rank.place, rank.text)       # nvila 1 "1 to 3"

A place is 1 + the systems above it. From one joint cluster bootstrap, each system is compared with all others at
once (largest studentised difference); those clearly above bound its best place, those clearly below its
worst. Each interval holds the true place with the stated probability (Mogstad, Romano, Shaikh, Wilhelm 2024,
"Inference for ranks", Review of Economic Studies 91:476). Percentiles of resampled ranks would not: among equal
systems they favour whoever was lucky.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from hlvid.errors import AnswerError
from hlvid.scoring.resampling import Floats, check_level, critical_value
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


def rank_intervals(table: Table, *, level: float = 0.95, draws: int = 10_000, seed: int = 0) -> list[Rank]:
    """A `Rank` for each system of the table, in its order.

    Args:
        table: systems on the same questions.
        level: probability that an interval holds the true place, for each system by itself.
        draws, seed: of the bootstrap. With one recording every place is possible.

    Raises:
        AnswerError: no questions.
    """
    check_level(level)
    if not table.questions:
        raise AnswerError("no questions to rank on; give runs with answers")
    seen = table.accuracy
    above, below = _clear_differences(table, level, draws, seed)
    return [
        Rank(
            system=system,
            accuracy=float(seen[index]),
            place=1 + int((seen > seen[index]).sum()),
            best=1 + int(above[index].sum()),
            worst=len(seen) - int(below[index].sum()),
        )
        for index, system in enumerate(table.systems)
    ]


def _clear_differences(table: Table, level: float, draws: int, seed: int) -> tuple[Floats, Floats]:
    """(S, S) 1 where system j is clearly above (below) system i, allowing for all of i's comparisons at once."""
    seen, systems = table.accuracy, len(table.systems)
    none = np.zeros((systems, systems))
    if table.cluster_count < 2 or systems < 2:
        return none, none.copy()
    centred = table.resampled(draws, seed) - seen
    widening = critical_value(level, table.effective_clusters) / float(ndtri(0.5 + level / 2))
    above, below = none, none.copy()
    for index in range(systems):
        shifts = centred - centred[:, [index]]
        errors = _standard_errors(table, shifts, index)
        with np.errstate(invalid="ignore", divide="ignore"):
            studentised = np.where(errors > 0, np.abs(shifts) / errors, 0.0)
        margin = widening * float(np.quantile(studentised.max(axis=1), level)) * errors
        gaps = seen - seen[index]
        above[index] = (gaps > margin) & (errors > 0)
        below[index] = (-gaps > margin) & (errors > 0)
    return above, below


def _standard_errors(table: Table, shifts: Floats, index: int) -> Floats:
    """(S,) of the differences to one system: the bootstrap's, but not below McNemar's under "no difference".

    The floor keeps a handful of lucky questions in distinct recordings from looking certain. 0 only for
    systems that are right on the very same questions.
    """
    disagreements = (table.correct != table.correct[:, [index]]).sum(axis=0)
    floor = np.sqrt(disagreements) / len(table.questions)
    errors: Floats = np.maximum(shifts.std(axis=0, ddof=1), floor)
    return np.where(disagreements > 0, errors, 0.0)
