"""`hlvid compare` and `hlvid rescore` on runs, submissions and tables, by the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hlvid.dataset import Question
from hlvid.dataset.order import relabelled, rotations
from hlvid.errors import AnswerError
from leaderboard import compare_cli
from leaderboard.benchmarks import AnswerKey, Keys
from leaderboard.submit import answers as submissions

Answers = list[dict[str, Any]]


@pytest.fixture
def run(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`run("compare", a, b)` -> what is printed; errors are raised."""
    app = typer.Typer()
    compare_cli.mount(app)
    read = submissions.submitted
    monkeypatch.setattr(submissions, "submitted", lambda path, task=None: read(path, task, keys))

    def invoke(*arguments: object) -> str:
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    return invoke


def run_folder(
    path: Path, questions: tuple[Question, ...], texts: list[str], letters: list[str | None]
) -> Path:
    """What `hlvid eval` leaves, with letters as an older parser read them."""
    path.mkdir()
    rows = [
        {"task": "hlvid", "question_id": one.id, "source": one.source, "category": one.category, "tier": None,
         "how": "", "raw_output": text, "parsed": letter, "correct": letter == one.answer, "options": dict(one.options),
         "answer": one.answer}
        for one, text, letter in zip(questions, texts, letters, strict=True)
    ]  # fmt: skip
    (path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_run_against_a_submission(
    run: Callable[..., str],
    key: AnswerKey,
    answers: Answers,
    make_folder: Callable[..., Path],
    tmp_path: Path,
) -> None:
    letters = [one.answer for one in key.questions]
    folder = run_folder(tmp_path / "perfect", key.questions, [str(one) for one in letters], letters)
    text = run("compare", folder, make_folder(answers))
    assert "perfect: 100.0 %" in text and "some-model: 75.0 %" in text
    assert "only perfect right: 9 (B|A), 10 (C|A), 11 (D|A)" in text
    found = json.loads(run("compare", folder, make_folder(answers), "--json"))
    assert [one["question_id"] for one in found["changed"]] == [
        one["question_id"] for one, letter in zip(answers, letters, strict=True) if one["answer"] != letter
    ]
    assert run("compare", folder, make_folder(answers), "--format", "csv").startswith("label,group,a,b,n")


def test_rescore_lists_what_moved_and_asks_nobody(
    run: Callable[..., str], key: AnswerKey, tmp_path: Path
) -> None:
    first = key.questions[0]
    restated = [", ".join(f"{k}. {v}" for k, v in one.options.items()) for one in key.questions]
    texts = [f"{restated[0]}\nAnswer: {first.answer}", restated[1], *["B"] * 10]
    folder = run_folder(tmp_path / "old", key.questions, texts, [None, "A", *["B"] * 10])
    text = run("rescore", folder, "--out", tmp_path / "new.jsonl")
    lines = text.splitlines()
    assert lines[0].startswith("question 0: no letter -> A (declared), now right: A. A0x, B. B0x")
    assert lines[1].startswith("question 1: A -> no letter")
    assert lines[-1].startswith("2 of 12 answers moved; ")
    found = json.loads(run("rescore", folder, "--json"))
    assert [one["question_id"] for one in found["moved"]] == ["0", "1"]
    assert "0 of 12 answers moved" in run("rescore", tmp_path / "new.jsonl")
    kept = run("compare", folder, tmp_path / "new.jsonl")
    assert "old: 16.7 %" in kept and "new.jsonl: 25.0 %" in kept
    assert "old: 25.0 %" in run("compare", folder, tmp_path / "new.jsonl", "--rescore")


def rotated_folder(path: Path, questions: tuple[Question, ...], says: Callable[[Question], str]) -> Path:
    """What `hlvid eval` leaves of circular=true: each rotation with its options relabelled."""
    path.mkdir()
    rows = []
    for one in questions:
        for order in rotations(one):
            asked = relabelled(one, order)
            letter = says(asked)
            rows.append({
                "task": "hlvid", "question_id": f"{one.id}~{order}", "circle": one.id, "order": order, "tier": None,
                "source": one.source, "category": one.category, "how": "", "raw_output": letter, "parsed": letter,
                "correct": letter == asked.answer, "options": dict(asked.options), "answer": asked.answer,
            })  # fmt: skip
    (path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rotations_of_one_question_count_once(
    run: Callable[..., str], key: AnswerKey, tmp_path: Path
) -> None:
    """A model that always says A is right on a quarter of the rotations, and on no question."""
    always = rotated_folder(tmp_path / "always", key.questions, lambda one: "A")
    knows = rotated_folder(tmp_path / "knows", key.questions, lambda one: str(one.answer))
    text = run("compare", knows, always)
    assert "knows: 100.0 %" in text and "12 of 12 right" in text and "always: 0.0 %" in text
    assert text == run("compare", knows, always, "--rescore")
    assert "of 12 questions" in text and "10 (C|A)" in text and "~" not in text
    assert "0 of 48 answers moved; 0 -> 0 right" in run("rescore", always, "--out", tmp_path / "kept.jsonl")
    assert "kept.jsonl: 0.0 %" in run("compare", knows, tmp_path / "kept.jsonl")
    once = run_folder(tmp_path / "once", key.questions, ["A"] * 12, ["A"] * 12)
    with pytest.raises(AnswerError, match=r"always: asked in every rotation .* compare runs asked alike"):
        run("compare", once, always)


def test_shuffled_answers_are_told_by_published_letters(
    run: Callable[..., str], key: AnswerKey, tmp_path: Path
) -> None:
    perfect = run_folder(
        tmp_path / "perfect",
        key.questions,
        [str(one.answer) for one in key.questions],
        [one.answer for one in key.questions],
    )
    rows = [json.loads(line) for line in (perfect / "samples.jsonl").read_text().splitlines()]
    for row, one in zip(rows, key.questions, strict=True):
        asked = relabelled(one, "DCBA")
        row |= {"order": "DCBA", "options": dict(asked.options), "answer": asked.answer, "parsed": "A",
                "raw_output": "A", "correct": asked.answer == "A"}  # fmt: skip
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("".join(json.dumps(row) + "\n" for row in rows))
    changed = json.loads(run("compare", perfect, shuffled, "--json"))["changed"]
    assert {one["letter_b"] for one in changed} == {"D"}


def test_faults(run: Callable[..., str], key: AnswerKey, tmp_path: Path) -> None:
    letters: list[str | None] = ["A"] * 12
    folder = run_folder(tmp_path / "one", key.questions, ["A"] * 12, letters)
    with pytest.raises(AnswerError, match="one system alone"):
        run("compare", folder)
    with pytest.raises(AnswerError, match="does not exist"):
        run("compare", folder, tmp_path / "nowhere")
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "submission.toml").write_text(
        "reported = {accuracy_percent = 50, source = 'a paper'}"
    )
    with pytest.raises(AnswerError, match="is a number without answers"):
        run("compare", folder, tmp_path / "paper")
    other = run_folder(tmp_path / "other", key.questions, ["A"] * 12, letters)
    text = (other / "samples.jsonl").read_text().replace('"task": "hlvid"', '"task": "hlvid_mvbench"')
    (other / "samples.jsonl").write_text(text)
    samples = folder / "samples.jsonl"
    with pytest.raises(AnswerError, match=r"--out .*samples.jsonl: is what is read"):
        run("rescore", folder, "--out", samples)
    renamed = [json.loads(line) for line in samples.read_text().splitlines()]
    renamed[3]["options"] |= {"A": "another text"}
    (tmp_path / "newer.jsonl").write_text("".join(json.dumps(row) + "\n" for row in renamed))
    with pytest.raises(
        AnswerError, match=r"newer.jsonl: line 4: question 3 has other options or another answer"
    ):
        run("compare", folder, tmp_path / "newer.jsonl")
    with pytest.raises(AnswerError, match=r"is of mvbench, .* of hlvid; compare one benchmark"):
        run("compare", folder, other)
