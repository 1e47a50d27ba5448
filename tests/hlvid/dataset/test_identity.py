"""A dataset is what it holds, wherever it lies.

Run: pytest tests/hlvid/dataset/test_identity.py
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hlvid.dataset import Question
from hlvid.dataset.identity import asked_hash, of_sets, question_identity, set_hash


@pytest.fixture
def questions(tmp_path: Path) -> list[Question]:
    """Two questions; the video of the second is not there."""
    (tmp_path / "a.mp4").write_bytes(b"12345")
    one = Question(
        id="0",
        video="a.mp4",
        source="a",
        category="av",
        stem="What?",
        options={"A": "x", "B": "y"},
        answer="A",
        video_path=tmp_path / "a.mp4",
    )
    return [one, replace(one, id="1", video="b.mp4", video_path=tmp_path / "b.mp4")]


def test_order_and_place_do_not_count(questions: list[Question], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = [replace(one, video_path=tmp_path / "elsewhere" / one.video) for one in reversed(questions)]
    (tmp_path / "elsewhere" / "a.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    assert set_hash(moved) == set_hash(questions)
    assert asked_hash(moved) == asked_hash(questions)
    assert [question_identity(one) for one in reversed(moved)] == [
        question_identity(one) for one in questions
    ]


def test_another_video_of_the_same_size_and_time_answers_nothing(
    questions: list[Question], tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x" * 300_000)
    before, then = question_identity(questions[0]), of_sets(questions, questions[:1])
    stat = path.stat()
    for offset in (10, 150_000, 299_990):
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(b"!")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as tools that copy do
        after = question_identity(questions[0])
        assert after != before and after["video_bytes"] == before["video_bytes"]
        assert of_sets(questions, questions[:1])["videos"] != then["videos"]
        before, then = after, of_sets(questions, questions[:1])


CHANGES: list[dict[str, object]] = [
    {"id": "7"},
    {"video": "c.mp4"},
    {"stem": "Who?"},
    {"options": {"A": "x", "B": "z"}},
    {"answer": "B"},
]


@pytest.mark.parametrize("changed", CHANGES)
def test_content_does(questions: list[Question], changed: dict[str, object]) -> None:
    other = [replace(questions[0], **changed), questions[1]]  # type: ignore[arg-type]
    assert set_hash(other) != set_hash(questions) and asked_hash(other) != asked_hash(questions)
    assert (question_identity(other[0]) != question_identity(questions[0])) == ("answer" not in changed)


def test_another_video_of_that_name_changes_what_is_asked_but_not_the_set(
    questions: list[Question], tmp_path: Path
) -> None:
    before = of_sets(questions, questions[:1])
    identity = question_identity(questions[0])
    (tmp_path / "a.mp4").write_bytes(b"123456")
    after = of_sets(questions, questions[:1])
    assert before["set"] == after["set"] and before["fingerprint"] != after["fingerprint"]
    assert (before["set_questions"], before["questions"]) == (2, 1)
    assert question_identity(questions[0]) != identity
    assert question_identity(questions[1])["video_bytes"] is None
