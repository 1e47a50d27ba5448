"""Rows as `process_results` returns them, and the real benchmark's paired results."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hlvid.scoring.compare import Comparison, compare_table
from hlvid.scoring.table import MeanOf, Table

Rows = list[dict[str, Any]]


def compare(
    a: Rows, b: Rows, names: tuple[str, str] = ("A", "B"), mean_of: MeanOf = "questions"
) -> Comparison:
    """The one comparison of two runs."""
    (found,) = compare_table(Table.of({names[0]: a, names[1]: b}, mean_of))
    return found


@pytest.fixture
def make_rows() -> Callable[..., Rows]:
    """make_rows([1, 0, 1], ["s1", "s1", "s2"]) -> rows; a wrong answer is B, a right one A."""

    def make(correct: Sequence[int], sources: Sequence[str] | None = None, **more: Any) -> Rows:
        return [
            {"question_id": str(number), "correct": bool(right), "parsed": "A" if right else "B",
             "source": sources[number] if sources else None, "category": "av", "tier": None, **more}
            for number, right in enumerate(correct)
        ]  # fmt: skip

    return make


@pytest.fixture(scope="session")
def real_pair(shared: Path) -> tuple[Rows, Rows]:
    """Two real systems on HLVid: 133 and 130 of 268 right."""
    with (shared / "hlvid" / "questions.csv").open() as file:
        questions = {line["question_id"]: line for line in csv.DictReader(file)}
    with (shared / "hlvid" / "paired_correctness.csv").open() as file:
        lines = list(csv.DictReader(file))

    def rows(column: str) -> Rows:
        return [
            {"question_id": line["question_id"], "correct": line[column] == "1",
             "parsed": "A" if line[column] == "1" else "B", "tier": None,
             "source": questions[line["question_id"]]["source_video"],
             "category": questions[line["question_id"]]["category"]}
            for line in lines
        ]  # fmt: skip

    return rows("system_a_correct"), rows("system_b_correct")
