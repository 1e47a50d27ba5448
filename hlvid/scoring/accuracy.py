"""Accuracy with what is known about it: overall, by category and tier.

An answer that names no option is wrong: it stays in the denominator and is counted in `unparsed`. A question asked
several times counts once, as right as its answers are on the mean (`hlvid.scoring.collapse`).
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from hlvid.errors import AnswerError
from hlvid.scoring.intervals import Interval, clustered, wilson

__all__ = ["Accuracy", "Interval", "Summary", "clustered", "summarize", "wilson"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Accuracy:
    """Right answers among all `n` questions; `value` is the share in 0 to 1 (NaN for n = 0).

    `correct` and `unparsed` are whole unless questions were asked several times. `wilson` takes answers as
    independent; `clustered` lets recordings vary and is the one to quote.
    """

    correct: float
    n: int
    unparsed: float
    value: float
    wilson: Interval
    clustered: Interval


@dataclass(frozen=True)
class Repeats:
    """The accuracy of each repetition of a run, 0 to 1, and their standard deviation: what sampling alone moves."""

    accuracies: tuple[float, ...]
    deviation: float


@dataclass(frozen=True)
class Summary:
    """Accuracies of one run. Questions without a tier are in no entry of `by_tier`; `repeats` is None of one answer."""

    overall: Accuracy
    by_category: Mapping[str, Accuracy]
    by_tier: Mapping[str, Accuracy]
    repeats: Repeats | None = None


def summarize(rows: Sequence[Row], *, level: float = 0.95) -> Summary:
    """Accuracy of one run.

    Args:
        rows: one mapping a question with question_id, correct (bool, or a share of repetitions), parsed (letter or
            None), source, category, tier (the last three may be None or absent).
        level: of the intervals.

    Raises:
        AnswerError: a row without question_id, correct or parsed, a `correct` that is no truth value, or a
            question that occurs twice.
    """
    check_rows(rows)

    def groups(key: str) -> dict[str, Accuracy]:
        labels = sorted({str(row[key]) for row in rows if row.get(key) is not None})
        members = {label: [row for row in rows if str(row.get(key)) == label] for label in labels}
        return {label: accuracy_of(part, level) for label, part in members.items()}

    overall = accuracy_of(rows, level)
    return Summary(overall, groups("category"), groups("tier"), repeats_of(rows))


def accuracy_of(rows: Sequence[Row], level: float = 0.95) -> Accuracy:
    """Accuracy of these rows (see `summarize`, which checks them)."""
    correct = [float(row["correct"]) for row in rows]
    clusters = [cluster_of(row) for row in rows]
    return Accuracy(
        correct=_count(correct),
        n=len(rows),
        unparsed=_count(row.get("unparsed_share", row["parsed"] is None) for row in rows),
        value=sum(correct) / len(rows) if rows else math.nan,
        wilson=wilson(sum(correct), len(rows), level),
        clustered=clustered(correct, clusters, level),
    )


def repeats_of(rows: Sequence[Row]) -> Repeats | None:
    """Of rows that `collapse` made of as many repetitions each; None for others."""
    turns = [row.get("repeats") or () for row in rows]
    counts = {len(answers) for answers in turns}
    if len(counts) != 1 or counts <= {0, 1}:
        return None
    accuracies = tuple(fmean(answer["correct"] for answer in turn) for turn in zip(*turns, strict=True))
    return Repeats(accuracies, stdev(accuracies))


def cluster_of(row: Row) -> Hashable:
    """The recording a question belongs to; a question without one stands for itself."""
    source = row.get("source")
    return ("source", source) if source is not None else ("question", row["question_id"])


def check_rows(rows: Sequence[Row]) -> None:
    """Raise AnswerError, naming the question and the field, for rows that would give a wrong score."""
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        missing = [key for key in ("question_id", "correct", "parsed") if key not in row]
        if missing:
            raise AnswerError(f"row {number}: field '{missing[0]}' is missing; give one row a question")
        name = f"row {number}: question {row['question_id']}"
        if row["correct"] not in (True, False) and not row.get("repeats"):
            raise AnswerError(f"{name}: field 'correct' is {row['correct']!r}; allowed: true, false")
        if row["correct"] and row["parsed"] is None:
            raise AnswerError(
                f"{name}: field 'correct' is true but 'parsed' is empty; no letter is never right"
            )
        if str(row["question_id"]) in seen:
            raise AnswerError(f"{name}: occurs twice; keep one answer a question")
        seen.add(str(row["question_id"]))


def _count(values: Iterable[float]) -> float:
    """Their sum, a whole number where it is one."""
    total = math.fsum(values)
    return int(total) if total == int(total) else round(total, 6)
