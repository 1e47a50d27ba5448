"""Several processes, one journal: videos are disjoint, answers those of one process, a kill costs nothing.

Run: pytest tests/evaluators/runs/test_shares.py     (-m slow: with processes)
"""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from evaluators.core.share import Share
from evaluators.runs.files import JOURNAL
from evaluators.runs.run import execute
from evaluators.runs.shares import cards_for
from evaluators.runs.spec import RunSpec
from hlvid.errors import RunError

SPEC = RunSpec("hlvid", "blind", {"strategy": "hash"})


def answers(folder: Path) -> dict[str, tuple[str, dict[str, object]]]:
    """question id -> (answer, details); each asked once."""
    lines = [json.loads(line) for path in (folder / JOURNAL).glob("*.jsonl") for line in path.open()]
    found = [line for line in lines if "question_id" in line]
    assert len({line["question_id"] for line in found}) == len(found)
    return {line["question_id"]: (line["record"]["text"], line["record"]["details"]) for line in found}


@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_shares_of_the_benchmark_are_disjoint_complete_and_even(of: int, shared: Path) -> None:
    with (shared / "hlvid/questions.csv").open() as file:
        rows = list(csv.DictReader(file))
    asked = [row["video_path"] for row in rows]
    parts = [Share(number, of).videos(asked) for number in range(of)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == len(set(asked)) == 77
    loads = [sum(Counter(asked)[video] for video in part) for part in parts]
    assert sum(loads) == 268 and max(loads) - min(loads) <= max(Counter(asked).values())


def test_a_variable_that_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Share.here() is None
    for text in ("2/2", "a/b", "1", "-1/2"):
        monkeypatch.setenv("HLVID_SHARE", text)
        with pytest.raises(RunError, match="HLVID_SHARE is"):
            Share.here()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert cards_for(2) == ["3", "5"]
    with pytest.raises(RunError, match="--gpus is 4; this machine shows 2"):
        cards_for(4)


@pytest.mark.slow
def test_two_processes_answer_what_one_does(dataset: Path, tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    one = execute(SPEC, alone)
    two = execute(SPEC, both, processes=2)
    assert one["status"] == two["status"] == "ok", two["message"]
    assert one["accuracy"] == two["accuracy"] and one["questions"] == two["questions"] == 4
    assert {key: text for key, (text, _) in answers(alone).items()} == {
        key: text for key, (text, _) in answers(both).items()
    }
    logs = sorted(path.name for path in both.glob("share-*"))
    assert logs == ["share-0-log.txt", "share-1-log.txt"]


@pytest.mark.slow
def test_a_share_that_dies_leaves_its_part_to_the_run(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    deadly = tmp_path / "deadly.py"
    deadly.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.setattr("evaluators.runs.shares.CHILD", (str(deadly),))
    assert execute(SPEC, tmp_path / "run", processes=2)["status"] == "ok"
    assert len(answers(tmp_path / "run")) == 4
    assert "process 0 of 2 ended with -9" in capfd.readouterr().err
