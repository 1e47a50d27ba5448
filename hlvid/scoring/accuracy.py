"""Accuracy with what is known about it: overall, by category and tier.

Example::

    summary = summarize(rows)            # rows: what the tasks' process_results returns
    summary.overall.value, summary.overall.clustered.low, summary.by_tier["44px"].value

An answer that names no option is wrong: it stays in the denominator and is counted in `unparsed`.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hlvid.errors import AnswerError
from hlvid.scoring.intervals import Interval, clustered, wilson

__all__ = ["Accuracy", "Interval", "Summary", "clustered", "summarize", "wilson"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Accuracy:
    """Right answers among all `n` asked; `value` is the share in 0 to 1 (NaN for n = 0).

    `wilson` takes answers as independent; `clustered` lets recordings vary and is the one to quote.
    """

    correct: int
    n: int
    unparsed: int
    value: float
    wilson: Interval
    clustered: Interval


@dataclass(frozen=True)
class Summary:
    """Accuracies of one run. Questions without a tier are in no entry of `by_tier`."""

    overall: Accuracy
    by_category: Mapping[str, Accuracy]
    by_tier: Mapping[str, Accuracy]


def summarize(rows: Sequence[Row], *, level: float = 0.95) -> Summary:
    """Accuracy of one run.

    Args:
        rows: one mapping a question with question_id, correct (bool), parsed (letter or None), source,
            category, tier (the last three may be None or absent).
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
    return Summary(overall, groups("category"), groups("tier"))


def accuracy_of(rows: Sequence[Row], level: float = 0.95) -> Accuracy:
    """Accuracy of these rows (see `summarize`, which checks them)."""
    correct = [int(row["correct"]) for row in rows]
    clusters = [cluster_of(row) for row in rows]
    return Accuracy(
        correct=sum(correct),
        n=len(rows),
        unparsed=sum(row["parsed"] is None for row in rows),
        value=sum(correct) / len(rows) if rows else math.nan,
        wilson=wilson(sum(correct), len(rows), level),
        clustered=clustered(correct, clusters, level),
    )


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
        if row["correct"] not in (True, False):
            raise AnswerError(f"{name}: field 'correct' is {row['correct']!r}; allowed: true, false")
        if row["correct"] and row["parsed"] is None:
            raise AnswerError(
                f"{name}: field 'correct' is true but 'parsed' is empty; no letter is never right"
            )
        if str(row["question_id"]) in seen:
            raise AnswerError(f"{name}: occurs twice; keep one answer a question")
        seen.add(str(row["question_id"]))
