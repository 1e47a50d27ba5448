"""Samples survive writing and reading; foreign lmms-eval files are scored anew; faults name line and field.

pytest tests/hlvid/test_samples.py
"""

import json
from pathlib import Path
from typing import Any

import pytest

from hlvid.dataset.question import Question
from hlvid.errors import AnswerError
from hlvid.scoring.samples import Sample, read_samples, write_samples

DETAILS = {
    "frames": 12,
    "pixels": [252, 448],
    "tokens_selected": 732,
    "seconds": {"ocr": 5.5},
    "selector": "detail",
}


def question(number: int, answer: str | None = "B") -> Question:
    return Question(
        id=f"q{number}",
        video=f"clip_av_video_1_{number:03}.mp4",
        source="av_video_1",
        category="av",
        stem=f"What does sign {number} say?",
        options={"A": "DL3", "B": "DL5", "C": "DL8"},
        answer=answer,
        tier="44px",
    )


QUESTIONS = [question(number) for number in range(3)]


def plain(number: int, text: str, **more: Any) -> dict[str, Any]:
    """A line as a foreign lmms-eval task writes it."""
    return {"doc_id": number, "target": "B", "filtered_resps": text, "doc_hash": "x",
            "input": f"What does sign {number} say? A. DL3", **more}  # fmt: skip


def save(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_score_reads_the_letter_and_what_it_took() -> None:
    sample = Sample.score(QUESTIONS[0], "The answer is **B**.", DETAILS)
    assert (sample.parsed, sample.correct, sample.how) == ("B", True, "declared")
    assert (sample.frames, sample.pixels, sample.tokens) == (12, (252, 448), 732)
    assert sample.seconds == {"ocr": 5.5}
    assert (sample.video, sample.source, sample.tier) == ("clip_av_video_1_000.mp4", "av_video_1", "44px")


def test_unparseable_is_wrong_with_a_reason() -> None:
    sample = Sample.score(QUESTIONS[0], "A or B")
    assert (sample.parsed, sample.correct, sample.how) == (None, False, "contradiction")
    assert sample.frames is None


def test_written_samples_read_the_same(tmp_path: Path) -> None:
    samples = [
        Sample.score(one, text, DETAILS) for one, text in zip(QUESTIONS, ["B", "\u2028né", ""], strict=True)
    ]
    write_samples(tmp_path / "samples.jsonl", samples)
    assert read_samples(tmp_path / "samples.jsonl") == samples
    assert read_samples(tmp_path / "samples.jsonl", QUESTIONS) == samples


def test_plain_lmms_eval_samples(tmp_path: Path) -> None:
    rows = [plain(0, "B"), plain(2, "x", resps=[["The answer is C"]]), plain(1, "I cannot tell")]
    samples = read_samples(save(tmp_path / "s.jsonl", rows), QUESTIONS)
    assert [(one.question_id, one.parsed, one.correct) for one in samples] == [
        ("q0", "B", True), ("q2", "C", False), ("q1", None, False),
    ]  # fmt: skip


def test_a_claimed_score_does_not_count(tmp_path: Path) -> None:
    row = {**Sample.score(QUESTIONS[0], "A").to_row(), "correct": True, "parsed": "B"}
    path = save(tmp_path / "s.jsonl", [row])
    assert read_samples(path)[0].correct
    assert not read_samples(path, QUESTIONS)[0].correct


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (plain(7, "B"), "'doc_id' is 7"),
        (plain(0, "B", question_id="q9"), "'question_id' is q9"),
        (plain(0, "B", target="C"), "'target' is C"),
        (plain(0, "B", input="What colour is the bus?"), "'input'"),
        ({"doc_id": 0, "filtered_resps": ["A", "B"]}, "filtered_resps"),
        ({"doc_id": 0}, "filtered_resps"),
        ({"doc_id": True, "filtered_resps": "A"}, "'doc_id' is True"),
        ([1], "has to be an object"),
        (plain(0, "B", details={"frames": "many"}), "'details'"),
        (plain(0, "B", details={"pixels": [1]}), "'details'"),
    ],
)
def test_faults_name_the_line_and_field(tmp_path: Path, row: Any, told: str) -> None:
    path = save(tmp_path / "s.jsonl", [plain(1, "B"), row])
    with pytest.raises(AnswerError) as error:
        read_samples(path, QUESTIONS)
    assert f"{path}: line 2" in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize("field", ["question_id", "raw_output", "source", "correct", "parsed", "details"])
def test_own_rows_are_checked_without_questions(field: str) -> None:
    row = {**Sample.score(QUESTIONS[0], "A").to_row(), field: 5}
    with pytest.raises(AnswerError, match=field):
        Sample.from_row(row)


def test_repeated_torn_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match=r"line 2: question q1 was answered on line 1"):
        read_samples(save(tmp_path / "twice.jsonl", [plain(1, "A"), plain(1, "B")]), QUESTIONS)
    torn = tmp_path / "torn.jsonl"
    torn.write_text(json.dumps(plain(0, "A")) + '\n{"doc_id": 1, "filt')
    with pytest.raises(AnswerError, match="line 2: is not JSON"):
        read_samples(torn, QUESTIONS)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(AnswerError, match="no samples"):
        read_samples(empty)
    with pytest.raises(AnswerError, match="cannot be read"):
        read_samples(tmp_path / "absent.jsonl")
    torn.write_bytes(b"\xff\xfe{")
    with pytest.raises(AnswerError, match="cannot be read"):
        read_samples(torn)


def test_windows_line_ends_and_bom(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(plain(0, "B")).encode() + b"\r\n")
    assert read_samples(path, QUESTIONS)[0].correct


def test_withheld_answers_are_not_scored() -> None:
    with pytest.raises(AnswerError, match="withheld"):
        Sample.score(question(0, None), "A")
