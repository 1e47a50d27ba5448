"""Is one system better than another? Tests, an interval and a sentence that says what is known.

Example::

    print(compare(rows_a, rows_b, names=("full", "gazed")).verdict)
    # full and gazed: no evidence of a difference. full 49.6 %, gazed 48.5 % of 268 questions: +1.1 points, 95 %
    # interval -4.4 to +5.0 (recordings resampled; sign-flip p = 0.71, McNemar p = 0.71). full alone is right …

    compare_all({"a": rows_a, "b": rows_b, "c": rows_c})     # all pairs, p-values corrected by Holm

A difference counts as shown when the clustered test rejects *and* the clustered interval excludes 0.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hlvid.errors import AnswerError
from hlvid.scoring.intervals import Interval
from hlvid.scoring.multiple import holm
from hlvid.scoring.paired import difference_interval, mcnemar, paired_design_effect, sign_flip
from hlvid.scoring.power import minimum_detectable_difference
from hlvid.scoring.resampling import Floats, cluster_sums
from hlvid.scoring.table import Table

Row = Mapping[str, Any]
Conclusion = Literal["a_better", "b_better", "no_evidence"]


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same n questions; `difference` is accuracy of A minus that of B.

    `mcnemar_p` takes questions as independent, `clustered_p` recordings. `adjusted_p` is the clustered one after
    Holm's correction where several pairs were compared. `least_p` is what the clustered test would give had one
    system been ahead on every recording where they differ: on few recordings it cannot show anything.
    `detectable` is the smallest difference that would be found 8 times in 10, given how often these two disagree
    (None: none would).
    """

    a: str
    b: str
    n: int
    accuracy_a: float
    accuracy_b: float
    only_a: int
    only_b: int
    difference: float
    interval: Interval
    mcnemar_p: float
    clustered_p: float
    design_effect: float
    detectable: float | None
    recordings: int
    least_p: float
    pairs: int = 1
    adjusted_p: float | None = None

    @property
    def p(self) -> float:
        """The p-value that counts."""
        return self.clustered_p if self.adjusted_p is None else self.adjusted_p

    @property
    def conclusion(self) -> Conclusion:
        """What the numbers show at the interval's level."""
        if self.p >= 1 - self.interval.level or 0 in self.interval:
            return "no_evidence"
        return "a_better" if self.difference > 0 else "b_better"

    @property
    def verdict(self) -> str:
        """The comparison in plain English."""
        return f"{self._headline()} {self._numbers()} {self._limits()}"

    def _headline(self) -> str:
        if self.conclusion == "no_evidence":
            return f"{self.a} and {self.b}: no evidence of a difference."
        better, worse = (self.a, self.b) if self.conclusion == "a_better" else (self.b, self.a)
        return f"{better} and {worse}: evidence that {better} is better."

    def _numbers(self) -> str:
        level = f"{100 * self.interval.level:g} %"
        corrected = (
            "" if self.adjusted_p is None else f", {_p(self.adjusted_p)} after Holm over {self.pairs} pairs"
        )
        return (
            f"{self.a} {100 * self.accuracy_a:.1f} %, {self.b} {100 * self.accuracy_b:.1f} % of {self.n} questions: "
            f"{_points(self.difference)} points, {level} interval {_points(self.interval.low)} to "
            f"{_points(self.interval.high)} (recordings resampled; sign-flip {_p(self.clustered_p)}{corrected}, "
            f"McNemar {_p(self.mcnemar_p)}). {self.a} alone is right on {self.only_a}, {self.b} alone on {self.only_b}."
        )

    def _limits(self) -> str:
        if self.interval.reason:
            return f"Read with care: {self.interval.reason}."
        if self.mcnemar_p < 1 - self.interval.level <= self.least_p:
            return (
                f"Read with care: on {self.recordings} recordings the sign-flip test cannot fall below "
                f"{_p(self.least_p)}. On these recordings the difference is clear (McNemar); that it would hold on "
                "others, so few cannot show."
            )
        if self.detectable is None:
            return "With so few disagreements hardly any difference would be found."
        return f"A true difference of {100 * self.detectable:.1f} points would be found 8 times in 10."


def compare(
    a: Sequence[Row],
    b: Sequence[Row],
    names: tuple[str, str] = ("A", "B"),
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare two runs on the same questions.

    Args:
        a, b: rows as for `summarize`.
        names: how to call the systems.
        level, draws, seed: of the interval; 1 - level is also the tests' significance level.

    Raises:
        AnswerError: the runs answer different questions, equal names, no questions.
    """
    if names[0] == names[1]:
        raise AnswerError(f"both systems are called '{names[0]}'; give two names")
    table = Table.of({names[0]: a, names[1]: b})
    return _compare(table, 0, 1, _draws(table, draws, seed), level)


def compare_all(
    runs: Mapping[str, Sequence[Row]], *, level: float = 0.95, draws: int = 10_000, seed: int = 0
) -> list[Comparison]:
    """All pairs of runs, in order; `adjusted_p` holds for all of them together."""
    table = Table.of(runs)
    resampled = _draws(table, draws, seed)
    pairs = [_compare(table, i, j, resampled, level) for i, j in combinations(range(len(table.systems)), 2)]
    adjusted = holm([pair.clustered_p for pair in pairs])
    return [replace(pair, adjusted_p=p, pairs=len(pairs)) for pair, p in zip(pairs, adjusted, strict=True)]


def _draws(table: Table, draws: int, seed: int) -> Floats | None:
    """Resampled accuracies; None where there is one recording only."""
    if not table.questions:
        raise AnswerError("no questions to compare on; give runs with answers")
    return table.resampled(draws, seed) if table.cluster_count > 1 else None


def _compare(table: Table, a: int, b: int, draws: Floats | None, level: float) -> Comparison:
    right_a, right_b = table.correct[:, a], table.correct[:, b]
    differences = right_a.astype(np.int64) - right_b
    only_a, only_b = int((differences > 0).sum()), int((differences < 0).sum())
    n, disagreement = len(differences), (only_a + only_b) / len(differences)
    difference = (only_a - only_b) / n
    if draws is None:
        interval = Interval(-1.0, 1.0, level, "cluster bootstrap", "one recording says nothing about others")
    else:
        interval = difference_interval(
            draws[:, a] - draws[:, b],
            difference,
            disagreement=disagreement,
            n=n,
            clusters=table.effective_clusters,
            level=level,
        )
    effect = paired_design_effect(differences, table.clusters)
    return Comparison(
        a=table.systems[a],
        b=table.systems[b],
        n=n,
        accuracy_a=float(right_a.mean()),
        accuracy_b=float(right_b.mean()),
        only_a=only_a,
        only_b=only_b,
        difference=difference,
        interval=interval,
        mcnemar_p=mcnemar(only_a, only_b),
        clustered_p=sign_flip(differences, table.clusters),
        design_effect=effect,
        detectable=_detectable(n, disagreement, effect, level),
        recordings=table.cluster_count,
        least_p=_least_p(differences, table.clusters),
    )


def _least_p(differences: npt.NDArray[np.int64], clusters: Sequence[Hashable]) -> float:
    """Two-sided p of the sign-flip test had all recordings with a difference pointed one way."""
    sums, _ = cluster_sums(differences, clusters)
    return min(1.0, 2.0 ** (1 - int(np.count_nonzero(sums))))


def _detectable(n: int, disagreement: float, effect: float, level: float) -> float | None:
    if not disagreement > 0:
        return None
    inflation = (
        effect if math.isfinite(effect) and effect > 1 else 1.0
    )  # below 1 is luck more often than truth
    return minimum_detectable_difference(n, disagreement, level=level, design_effect=inflation)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
