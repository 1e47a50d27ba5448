"""Answers and questions in pairs: the reason for missing ones is the run's limit where it has one."""

import pytest

from leaderboard.benchmarks import AnswerKey
from leaderboard.format.matching import match
from leaderboard.format.schema import Prediction


def test_each_question_once_and_no_other(key: AnswerKey) -> None:
    names = ["0", "0", "1", "99"]
    lines = [(n, Prediction(question_id=name, answer="A")) for n, name in enumerate(names, start=1)]
    matched = match(lines, key.questions[:2], "p.jsonl")
    assert [(fault.line, fault.field) for fault in matched.faults] == [(2, "question_id"), (4, "question_id")]
    assert [row["correct"] for row in matched.rows] == [True, False]


@pytest.mark.parametrize(("limit", "remedy"), [(None, "add a line for each"), (8, "run it without --limit")])
def test_missing_questions(key: AnswerKey, limit: float | None, remedy: str) -> None:
    lines = [(1, Prediction(question_id="0", answer="A"))]
    (fault,) = match(lines, key.questions, "p.jsonl", limit).faults
    assert fault.line is None and "11 question(s)" in fault.problem and remedy in fault.remedy
