"""Answer keys: the same questions as the dataset's, in the version that a submission states."""

from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hlvid.benchmarks import registry
from hlvid.dataset import load
from hlvid.dataset.identity import set_hash
from hlvid.errors import DatasetError
from hlvid.mini.manifest import write_questions
from hlvid.mini.plan import plan
from leaderboard.benchmarks import TITLES, WITHHELD, Keys, answer_key, benchmark_of, mini_revision
from leaderboard.format.schema import Benchmark

CSV = """question_id,category,question,answer,video_path
q1,av,"What is it?
A. a lamp
B. a sign
C. a jar
D. a bag
Please answer directly with the letter of the correct answer.",{answer},a.mp4
"""


def test_mini_key_equals_the_dataset_that_is_generated(tmp_path: Path) -> None:
    write_questions(tmp_path, plan("default", 0))
    key = answer_key("hlvid_mini")
    loaded = load(tmp_path)
    assert [(q.id, q.video, q.source, q.category, q.prompt(), q.answer, q.tier) for q in key.questions] == [
        (q.id, q.video, q.source, q.category, q.prompt(), q.answer, q.tier) for q in loaded
    ]
    assert key.revision == f"mini-default-0@{set_hash(loaded)}"


def test_mini_sets_are_told_apart() -> None:
    default, tiny = answer_key("hlvid_mini"), answer_key("hlvid_mini", "mini-tiny-0")
    assert (len(default.questions), len(tiny.questions)) == (48, 8)
    assert (default.title, tiny.title) == ("HLVid-Mini", "HLVid-Mini (tiny, seed 0)")
    assert default.matches(None) and default.matches("mini-default-0") and default.matches(default.revision)
    assert not default.matches("mini-tiny-0")
    assert not default.matches(tiny.revision)
    assert not default.matches(tiny.revision.replace("tiny", "default"))
    assert not default.matches("mini-default-0@sha256:short")
    keys = Keys()
    assert keys.get("hlvid_mini", tiny.revision).revision == tiny.revision
    assert keys.get("hlvid_mini").revision == default.revision


def test_a_mini_set_is_found_by_its_content() -> None:
    tiny = answer_key("hlvid_mini", "mini-tiny-0")
    assert mini_revision(set_hash(tiny.questions)) == tiny.revision
    assert mini_revision(set_hash(tiny.questions[1:])).startswith("sha256:")  # on no board


@pytest.mark.parametrize(
    "revision", ["mini-default-7", "mini-huge-0", "../../etc", "", "x" * 5000, "sha256:1"]
)
def test_other_mini_sets_are_refused(revision: str) -> None:
    with pytest.raises(DatasetError, match="allowed: mini-default-0"):
        answer_key("hlvid_mini", revision)


def test_a_suite_benchmark_is_keyed_by_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with pytest.raises(DatasetError, match="run 'hlvid data prepare nextqa'"):
        answer_key("nextqa_mc")
    row = {"video": 7, "question": "why", "answer": 1, "qid": 3, "type": "CW"}
    row |= {f"a{number}": f"because {number}" for number in range(5)}
    (tmp_path / "nextqa" / "MC").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "nextqa" / "MC" / "test-00000-of-00001.parquet")
    key = answer_key("nextqa_mc")
    assert [question.answer for question in key.questions] == ["B"]
    assert key.matches(key.revision) and key.matches(set_hash(key.questions))
    assert key.question(key.questions[0].id) == key.questions[0] and key.question("") is None


def test_withheld_answers_are_no_key() -> None:
    with pytest.raises(
        DatasetError, match=r"egoschema: its authors withhold .*https://egoschema\.github\.io"
    ):
        answer_key("egoschema")


def test_hlvid_itself_names_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="hlvid download"):
        answer_key("hlvid")


def test_a_withheld_answer_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path))
    (tmp_path / "hlvid").mkdir()
    (tmp_path / "hlvid" / "questions.csv").write_text(CSV.format(answer=""))
    with pytest.raises(DatasetError, match="q1: its answer is withheld"):
        answer_key("hlvid")


def test_the_board_lists_the_one_table_of_benchmarks() -> None:
    """The schema's list is written out for type checkers; it is the table's."""
    assert get_args(Benchmark) == tuple(TITLES) == tuple(one.board for one in registry.TASKS)
    assert set(WITHHELD) == {one.board for one in registry.TASKS if one.hidden}
    assert [benchmark_of(task) for task in ("hlvid_nextqa_mc", "nextqa_mc_test", "videomme", "hlvid", "other")] == [
        "nextqa_mc", "nextqa_mc", "videomme", "hlvid", None,
    ]  # fmt: skip
