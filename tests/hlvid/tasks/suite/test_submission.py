"""Run with: pytest tests/hlvid/tasks/suite/test_submission.py. The file for EgoSchema's hidden test."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from hlvid.benchmarks import submission
from hlvid.errors import RunError


def rows(count: int) -> list[dict[str, str | None]]:
    return [{"question_id": f"uid-{n}", "parsed": "ABCDE"[n % 5] if n % 7 else None} for n in range(count)]


def test_a_whole_file_has_the_plain_name_and_every_question(tmp_path: Path) -> None:
    args = SimpleNamespace(output_path=str(tmp_path))
    assert submission.write(rows(5031), args) == 5031
    (file,) = (tmp_path / "submissions").glob("*.json")
    assert file.name.startswith("egoschema_2")
    answers = json.loads(file.read_text())
    assert len(answers) == 5031
    assert set(answers.values()) == {-1, 0, 1, 2, 3, 4}
    assert (answers["uid-1"], answers["uid-7"]) == (1, -1)
    with file.with_suffix(".csv").open(newline="") as table:
        read = {row["q_uid"]: int(row["answer"]) for row in csv.DictReader(table)}
    assert read == answers


def test_a_part_is_named_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    submission.write(rows(8), None)
    (file,) = (tmp_path / "submissions").glob("*.json")
    assert file.name.startswith("egoschema_partial_8_of_5031_")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "submissions").write_text("a file where a folder should be")
    with pytest.raises(RunError, match="the submission cannot be written"):
        submission.write(rows(1), SimpleNamespace(output_path=str(tmp_path)))
