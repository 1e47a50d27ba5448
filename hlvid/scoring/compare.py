"""Is one system better than another? Tests, an interval and a sentence that says what is known.

When a difference counts as shown is said in `hlvid.scoring.rule`.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hlvid.errors import AnswerError
from hlvid.scoring.clusters import Floats, cluster_sums
from hlvid.scoring.intervals import Interval
from hlvid.scoring.paired import least_p, mcnemar, paired_design_effect
from hlvid.scoring.power import (
    effective_questions,
    minimum_detectable_difference,
    questions_needed,
    recordings_needed,
    rule_factor,
)
from hlvid.scoring.rule import Pairs, decide, intervals, together
from hlvid.scoring.table import MeanOf, Table

Conclusion = Literal["a_better", "b_better", "no_evidence"]


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same n questions; `difference` is accuracy of A minus that of B.

    Accuracies and difference are means over `mean_of`: questions alike, or categories alike. `mcnemar_p` takes
    questions as independent (and alike), `clustered_p` recordings. `adjusted_p` is the clustered one after Holm's
    correction over `pairs`. On `deciding` of the `recordings` one is ahead. `detectable` is the smallest true
    difference that the rule would find 8 times in 10, `needed` how many questions, in as many more recordings, it
    would take for the difference seen, given how often these two disagree (None: no answer).
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
    recordings: int
    deciding: int
    detectable: float | None = None
    needed: int | None = None
    mean_of: MeanOf = "questions"
    pairs: int = 1
    adjusted_p: float | None = None

    @property
    def p(self) -> float:
        """The p-value that counts."""
        return self.clustered_p if self.adjusted_p is None else self.adjusted_p

    @property
    def conclusion(self) -> Conclusion:
        """What the numbers show at the interval's level."""
        conclusions: dict[int, Conclusion] = {1: "a_better", -1: "b_better", 0: "no_evidence"}
        return conclusions[decide(self.p, self.interval)]

    @property
    def verdict(self) -> str:
        """The comparison in plain English."""
        return f"{self._headline()} {self._numbers()} {self._limits()}"

    def _headline(self) -> str:
        if self.only_a == self.only_b == 0:
            return f"{self.a} and {self.b}: right on the very same questions."
        if self.conclusion == "no_evidence":
            return f"{self.a} and {self.b}: no evidence of a difference."
        better, worse = (self.a, self.b) if self.conclusion == "a_better" else (self.b, self.a)
        return f"{better} and {worse}: evidence that {better} is better."

    def _numbers(self) -> str:
        level = f"{100 * self.interval.level:g} %"
        corrected = (
            "" if self.adjusted_p is None else f", {_p(self.adjusted_p)} after Holm over {self.pairs} pairs"
        )
        what = "of" if self.mean_of == "questions" else "as the mean of the categories of"
        return (
            f"{self.a} {100 * self.accuracy_a:.1f} %, {self.b} {100 * self.accuracy_b:.1f} % {what} {self.n} "
            f"questions: {_points(self.difference)} points, {level} interval {_points(self.interval.low)} to "
            f"{_points(self.interval.high)} (clustered by recording; sign-flip {_p(self.clustered_p)}{corrected}, "
            f"McNemar {_p(self.mcnemar_p)}). {self.a} alone is right on {self.only_a}, {self.b} alone on {self.only_b}."
        )

    def _limits(self) -> str:
        alpha = 1 - self.interval.level
        if self.recordings > 1 and self.pairs * least_p(self.recordings) >= alpha:
            return self._too_few(f"there are {self.recordings} recordings, and on so few", self.recordings)
        if self.interval.reason:
            return f"Read with care: {self.interval.reason}."
        if self.mcnemar_p < alpha <= self.pairs * least_p(self.deciding):
            return self._too_few(f"one is ahead on {self.deciding} recordings, and on so few", self.deciding)
        if self.detectable is None:
            return "With so few disagreements hardly any difference would be found."
        return f"A true difference of {100 * self.detectable:.1f} points would be found 8 times in 10."

    def _too_few(self, why: str, count: int) -> str:
        over = (
            ""
            if self.pairs == 1
            else f" (over {self.pairs} pairs below {_p(min(1.0, self.pairs * least_p(count)))})"
        )
        needed = recordings_needed(self.interval.level, self.pairs)
        clear = (
            " On these recordings the difference is clear (McNemar); that it would hold on others, so few cannot show."
            if self.mcnemar_p < 1 - self.interval.level
            else ""
        )
        return (
            f"Read with care: {why} the sign-flip test cannot fall below {_p(least_p(count))}{over}; "
            f"it takes {needed}.{clear}"
        )


def compare_table(
    table: Table, *, level: float = 0.95, power: bool = True, only: Pairs | None = None
) -> list[Comparison]:
    """All pairs of a table's systems, in order; with more than one pair p-values are corrected by Holm.

    Args:
        table: systems on the same questions.
        level: of the intervals; 1 - level is also the tests' significance level.
        power: whether to work out `detectable` and `needed`, which are None else.
        only: the pairs (column, column) to give back; all are corrected together whichever these are.
    """
    if not table.questions:
        raise AnswerError("no questions to compare on; give runs with answers")
    found = together(table)
    pairs = list(found) if only is None else list(only)
    ends = intervals(table, pairs, level=level)
    return [
        _comparison(table, pair, p, adjusted if len(found) > 1 else None, interval, len(found), power)
        for pair, (p, adjusted), interval in zip(pairs, map(found.__getitem__, pairs), ends, strict=True)
    ]


def _comparison(
    table: Table,
    pair: tuple[int, int],
    p: float,
    adjusted: float | None,
    interval: Interval,
    pairs: int,
    power: bool,
) -> Comparison:
    one, other = pair
    differences, accuracy = table.differences(one, other), table.accuracy
    sums, _ = cluster_sums(differences, table.clusters, table.weights)
    only_a, only_b = int((differences > 0).sum()), int((differences < 0).sum())
    difference = float(table.weights @ differences / table.weights.sum())
    effect = paired_design_effect(differences, table.clusters, table.weights)
    return Comparison(
        a=table.systems[one],
        b=table.systems[other],
        n=len(differences),
        accuracy_a=float(accuracy[one]),
        accuracy_b=float(accuracy[other]),
        only_a=only_a,
        only_b=only_b,
        difference=difference,
        interval=interval,
        mcnemar_p=mcnemar(only_a, only_b),
        clustered_p=p,
        design_effect=effect,
        **(_power(table, differences, effect, interval.level) if power else {}),
        recordings=table.cluster_count,
        deciding=int(np.count_nonzero(np.abs(sums) > 1e-9)),
        mean_of=table.mean_of,
        pairs=pairs,
        adjusted_p=adjusted,
    )


def _power(table: Table, differences: Floats, effect: float, level: float) -> dict[str, Any]:
    """`detectable` and `needed`; nothing where the rule could find nothing, or there is nothing to find."""
    difference, discordance = float(table.shares @ differences), float(table.shares @ np.abs(differences))
    factor = rule_factor(table, level)
    if not discordance > 0 or math.isinf(factor):
        return {}
    # A design effect below 1 is luck more often than truth.
    inflation = effect if math.isfinite(effect) and effect > 1 else 1.0
    questions = effective_questions(table.weights)
    chosen: dict[str, float] = {"level": level, "design_effect": inflation, "factor": factor}
    detectable = minimum_detectable_difference(questions, min(1.0, discordance), **chosen)
    if abs(difference) < 1e-12:
        return {"detectable": detectable}
    needed = questions_needed(min(abs(difference), discordance), min(1.0, discordance), **chosen)
    return {"detectable": detectable, "needed": math.ceil(needed * len(table.questions) / questions)}


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
