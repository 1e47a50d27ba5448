"""Run with: pytest tests/evaluators/test_journal.py"""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from evaluators.core.identity import hash_of
from evaluators.core.journal import Journal, changes, run_path
from hlvid.errors import RunError

IDENTITY = {"model": "toy", "settings": {"frames": 4}, "code": {"a": "1"}}


def test_answers_survive_reopening(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    journal = Journal(path, IDENTITY)
    assert journal.get("q1") is None
    journal.append("q1", {"text": "B", "details": {"sign": "Straße"}})
    journal.append("q2", {"text": ""})
    again = Journal(path, IDENTITY)
    assert again.get("q1") == {"text": "B", "details": {"sign": "Straße"}}
    assert list(again) == ["q1", "q2"]
    header = json.loads(path.read_text().splitlines()[0])
    assert header["identity"] == IDENTITY


def test_a_line_cut_anywhere_costs_one_answer_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    journal = Journal(path, IDENTITY)
    journal.append("q1", {"text": "B"})
    whole = len(path.read_bytes())
    journal.append("q2", {"text": "é"})
    full = path.read_bytes()
    for cut in range(whole + 1, len(full) - 1):
        path.write_bytes(full[:cut])
        torn = Journal(path, IDENTITY)
        assert list(torn) == ["q1"], cut
        torn.append("q3", {"text": "C"})
        assert list(Journal(path, IDENTITY)) == ["q1", "q3"], cut


def test_a_last_line_without_its_newline_counts_and_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    Journal(path, IDENTITY).append("q1", {"text": "B"})
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    journal = Journal(path, IDENTITY)
    journal.append("q2", {"text": "A"})
    assert list(Journal(path, IDENTITY)) == ["q1", "q2"]


def test_a_torn_header_starts_the_file_anew(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    path.write_bytes(b'{"journal": 1, "key')
    Journal(path, IDENTITY).append("q1", {"text": "B"})
    assert list(Journal(path, IDENTITY)) == ["q1"]


def test_another_identity_is_refused_and_named(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    Journal(path, IDENTITY)
    with pytest.raises(RunError, match="settings: frames 4, now 8"):
        Journal(path, {**IDENTITY, "settings": {"frames": 8}})


def test_lines_of_another_identity_in_the_file_are_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    Journal(path, IDENTITY).append("q1", {"text": "B"})
    Journal(other, {**IDENTITY, "code": {"a": "2"}}).append("q1", {"text": "A"})
    path.write_text(path.read_text() + other.read_text().splitlines()[1] + "\n")
    with pytest.raises(RunError, match="line 3: of another identity"):
        Journal(path, IDENTITY)


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"question_id": "1"}\n')
    with pytest.raises(RunError, match="not a journal"):
        Journal(path, IDENTITY)
    assert path.read_text() == '{"question_id": "1"}\n'


def test_the_first_answer_stays(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    journal = Journal(path, IDENTITY)
    journal.append("q1", {"text": "B"})
    journal.append("q1", {"text": "C"})
    assert journal.get("q1") == Journal(path, IDENTITY).get("q1") == {"text": "B"}


def test_what_is_not_json_is_not_half_written(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    journal = Journal(path, IDENTITY)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        journal.append("q1", {"seconds": float("nan")})
    with pytest.raises(TypeError):
        journal.append("q1", {"path": path})
    assert path.read_bytes() == before
    assert journal.get("q1") is None


def _append_many(path: Path, name: str) -> None:
    journal = Journal(path, IDENTITY)
    for index in range(40):
        journal.append(f"{name}{index}", {"text": name * 2000})


def test_two_processes_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_many, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(Journal(path, IDENTITY)) == 80
    assert len(path.read_text().splitlines()) == 81


def test_the_file_name_follows_the_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HLVID_RUNS", str(tmp_path))
    path = run_path("org/model", IDENTITY)
    assert path == tmp_path / f"org_model-{hash_of(IDENTITY)}.jsonl"
    assert hash_of(dict(reversed(IDENTITY.items()))) == hash_of(IDENTITY)
    assert run_path("org/model", {**IDENTITY, "code": {"a": "2"}}) != path


def test_a_folder_below_a_file_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HLVID_RUNS", str(tmp_path / "file" / "x"))
    with pytest.raises(RunError, match=r"not a directory.*set HLVID_RUNS"):
        Journal(run_path("m", IDENTITY), IDENTITY)


def test_a_change_is_told_against_the_same_settings_alone(tmp_path: Path) -> None:
    def identity(ratio: float, weights: str) -> dict[str, Any]:
        return {"settings": {"ratio": ratio}, "weights": {"selector": weights}}

    first = identity(0.1, "sha256:a")
    Journal(run_path("gaze_reader", first, tmp_path), first)
    other = identity(0.2, "sha256:a")
    assert changes(run_path("gaze_reader", other, tmp_path), other) == []  # another setting was asked for
    Journal(run_path("gaze_reader", other, tmp_path), other)
    retrained = identity(0.1, "sha256:b")
    (why,) = changes(run_path("gaze_reader", retrained, tmp_path), retrained)
    assert "weights of selector" in why
