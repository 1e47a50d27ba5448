"""Finished runs are read as whoever wrote them left them; letters are read anew; faults name line and field.

pytest tests/hlvid/scoring/test_samples.py
"""

import json
from pathlib import Path
from typing import Any

import pytest

from hlvid.errors import AnswerError
from hlvid.scoring.samples import distinct_names, find_samples, read_samples, rescored

OWN = {"question_id": "q1", "correct": True, "parsed": "B", "how": "bare letter", "raw_output": "B", "source": "s1",
       "category": "av", "tier": None, "task": "hlvid", "options": {"A": "DL3", "B": "DL5"}, "answer": "B"}  # fmt: skip
PROMPT = "What does it say?\nA. DL3\nB. DL5\nC. DL8\nAnswer with the letter."


def write(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_run_of_hlvid_eval(tmp_path: Path) -> None:
    write(tmp_path / "samples.jsonl", OWN, {**OWN, "question_id": "q2", "parsed": None, "correct": False})
    first, second = read_samples(tmp_path)
    assert first.to_row() == {name: OWN[name] for name in first.to_row()}
    assert (second.parsed, second.correct, second.place.endswith("line 2")) == (None, False, True)


def test_the_newest_samples_of_a_folder_of_lmms_eval(tmp_path: Path) -> None:
    write(tmp_path / "model" / "20260101_samples_hlvid.jsonl", {**OWN, "parsed": "A", "correct": False})
    newest = write(tmp_path / "model" / "20260102_samples_hlvid.jsonl", OWN)
    assert find_samples(tmp_path) == newest
    assert read_samples(tmp_path)[0].correct


def test_samples_of_plain_lmms_eval(tmp_path: Path) -> None:
    """Options from the prompt, the answer from the target: a letter, or the option's text."""
    rows = [
        {"doc_id": 0, "input": PROMPT, "target": "C", "filtered_resps": ["The answer is C."]},
        {"doc_id": 1, "input": PROMPT, "target": "DL5", "resps": [["A. DL3\nB. DL5\nC. DL8\nAnswer: A"]]},
    ]
    right, wrong = read_samples(write(tmp_path / "1_samples_mvbench_x.jsonl", *rows))
    assert (right.question_id, right.parsed, right.correct, right.task) == ("0", "C", True, "mvbench_x")
    assert (wrong.parsed, wrong.answer, wrong.correct, wrong.source) == ("A", "B", False, None)


def test_todays_parser(tmp_path: Path) -> None:
    """A run of an older version, whose parser took a list of the options for A."""
    text = "A. DL3, B. DL5"
    path = write(tmp_path / "samples.jsonl", {**OWN, "raw_output": text, "parsed": "A", "correct": False})
    (old,) = read_samples(path)
    new = rescored(old)
    assert (old.parsed, new.parsed, new.how, new.correct) == ("A", None, "options restated", False)
    path = write(tmp_path / "samples.jsonl", {**OWN, "options": None, "answer": None})
    with pytest.raises(AnswerError, match="line 1: question q1: neither fields options and answer"):
        rescored(read_samples(path)[0])


@pytest.mark.parametrize(
    ("row", "told"),
    [("{", "line 1: is not JSON"), ({**OWN, "correct": False}, "but 'B' was read and 'B' is right"),
     ([1], "line 1: is list"),
     ({**OWN, "question_id": None}, "field 'question_id' is None"),
     ({**OWN, "correct": "yes"}, "field 'correct' is 'yes'"), ({**OWN, "correct": None}, "answer is withheld"),
     ({**OWN, "parsed": 3}, "field 'parsed' is 3"), ({**OWN, "raw_output": None}, "no single text in raw_output"),
     ({"doc_id": 3, "resps": [["B"]]}, "neither fields options and answer")],
)  # fmt: skip
def test_faults_name_the_line_and_field(tmp_path: Path, row: Any, told: str) -> None:
    with pytest.raises(AnswerError, match=r"samples\.jsonl: line 1: .*") as error:
        read_samples(write(tmp_path / "samples.jsonl", row))
    assert told in str(error.value)


def test_faults_of_whole_runs(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="question q1 was answered on line 1"):
        read_samples(write(tmp_path / "twice.jsonl", OWN, OWN))
    with pytest.raises(AnswerError, match="holds answers of a, b; choose one with --task"):
        read_samples(
            write(tmp_path / "two.jsonl", {**OWN, "task": "a"}, {**OWN, "question_id": "2", "task": "b"})
        )
    assert len(read_samples(tmp_path / "two.jsonl", task="b")) == 1
    with pytest.raises(AnswerError, match="no samples in it"):
        find_samples(tmp_path)
    write(tmp_path / "x" / "1_samples_a.jsonl", OWN)
    write(tmp_path / "x" / "1_samples_b.jsonl", OWN)
    with pytest.raises(AnswerError, match="holds several runs"):
        find_samples(tmp_path / "x")
    assert find_samples(tmp_path / "x", "b").name == "1_samples_b.jsonl"


def test_names_are_as_short_as_tells_them_apart() -> None:
    assert distinct_names([Path("/r/a"), Path("/r/b")]) == ["a", "b"]
    assert distinct_names([Path("/r/x/a"), Path("/r/y/a")]) == ["x/a", "y/a"]
    with pytest.raises(AnswerError, match="given twice"):
        distinct_names([Path("/r/a"), Path("/r/../r/a")])
