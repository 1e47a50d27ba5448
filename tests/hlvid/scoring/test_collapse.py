"""Run with: pytest tests/hlvid/scoring/test_collapse.py. Right in all rotations; the mean of repetitions."""

import json
from pathlib import Path
from statistics import stdev

import pytest

from hlvid.errors import AnswerError
from hlvid.scoring.accuracy import summarize
from hlvid.scoring.collapse import collapse
from hlvid.scoring.samples import read_samples
from tests.hlvid.scoring.conftest import compare


def rows(circle: str, *letters: str | None) -> list[dict[str, object]]:
    """A question whose answer is B in all its rotations, as process_results gives it."""
    return [
        {
            "question_id": f"{circle}~{turn}",
            "circle": circle,
            "parsed": letter,
            "correct": letter == "B",
            "source": "s",
        }
        for turn, letter in enumerate(letters)
    ]


def test_a_question_is_right_only_if_every_rotation_is() -> None:
    asked = [*rows("1", "B", "B", "B"), *rows("2", "B", "B", "A"), *rows("3", "B", None, "B")]
    assert [(row["question_id"], row["correct"], row["parsed"]) for row in collapse(asked)] == [
        ("1", True, "B"),
        ("2", False, "B"),
        ("3", False, None),
    ]
    overall = summarize(collapse(asked)).overall
    assert (overall.correct, overall.n, overall.unparsed) == (1, 3, 1)


def test_rows_of_an_ordinary_run_are_kept() -> None:
    plain = [
        {"question_id": "1", "correct": True, "parsed": "B"},
        {"question_id": "2", "correct": False, "parsed": "A"},
    ]
    assert collapse(plain) == plain


def asked(name: str, *letters: str | None, source: str = "s") -> list[dict[str, object]]:
    """A question whose answer is B, asked several times, as `hlvid eval` stores it."""
    return [
        {"question_id": name, "repeat": turn, "parsed": letter, "correct": letter == "B", "source": source}
        for turn, letter in enumerate(letters)
    ]


def test_repetitions_count_as_their_mean_and_show_their_spread() -> None:
    answers = [*asked("1", "B", "A", "B", "B"), *asked("2", "C", "C", None, "B", source="t")]
    first, second = collapse(answers)
    assert (first["correct"], first["parsed"], first["unparsed_share"]) == (0.75, "B", 0)
    assert (second["correct"], second["parsed"], second["unparsed_share"]) == (0.25, "C", 0.25)
    assert collapse([first, second]) == [first, second], "once is enough"
    found = summarize([first, second])
    assert (found.overall.correct, found.overall.n, found.overall.unparsed, found.overall.value) == (
        1,
        2,
        0.25,
        0.5,
    )
    assert found.repeats is not None and found.repeats.accuracies == (0.5, 0.0, 0.5, 1.0)
    assert found.repeats.deviation == pytest.approx(stdev([0.5, 0.0, 0.5, 1.0]))
    assert found.overall.wilson == summarize(collapse([*asked("1", "B"), *asked("2", "A")])).overall.wilson, (
        "more answers to a question are not more questions"
    )


def test_each_repetition_of_a_rotated_question_is_right_or_wrong_first() -> None:
    turns = [{**row, "repeat": turn} for turn in (0, 1) for row in rows("1", *("BB" if turn else "BA"))]
    (one,) = collapse(turns)
    assert (one["question_id"], one["correct"]) == ("1", 0.5)


def test_a_question_that_merely_occurs_twice_is_told() -> None:
    with pytest.raises(AnswerError, match="question 1: occurs twice"):
        summarize(collapse([*asked("1", "B"), *asked("1", "A")]))


def test_repetitions_are_read_from_both_kinds_of_samples(tmp_path: Path) -> None:
    """A line an answer (`hlvid eval`), or a line a question that holds its answers (`lmms_eval`)."""
    answers = [{**row, "raw_output": row["parsed"]} for row in [*asked("1", "B", "A"), *asked("2", "C", "D")]]
    lines = [json.dumps(row) for row in answers]
    (tmp_path / "samples.jsonl").write_text("\n".join(lines))
    together = [
        {**answers[at], "repeat": None, "correct": 0.5, "repeats": answers[at : at + 2]} for at in (0, 2)
    ]
    theirs = tmp_path / "x_samples_hlvid.jsonl"
    theirs.write_text("\n".join(map(json.dumps, together)))
    apart, as_one = (read_samples(path) for path in (tmp_path / "samples.jsonl", theirs))
    assert [one.to_row() for one in apart] == [one.to_row() for one in as_one]
    assert [row["correct"] for row in collapse(one.to_row() for one in apart)] == [0.5, 0]
    (tmp_path / "samples.jsonl").write_text("\n".join([*lines, lines[0]]))
    with pytest.raises(AnswerError, match="line 5: question 1 was answered on line 1"):
        read_samples(tmp_path / "samples.jsonl")


def test_runs_of_several_repetitions_are_compared_by_their_shares() -> None:
    a = collapse(row for n in range(8) for row in asked(str(n), "B", "B", source=str(n)))
    b = collapse(row for n in range(8) for row in asked(str(n), "B", "AB"[n % 2], source=str(n)))
    found = compare(a, b)
    assert (found.accuracy_a, found.accuracy_b, found.only_a, found.only_b) == (1.0, 0.75, 4, 0)
    assert found.clustered_p == pytest.approx(2 / 2**4)
