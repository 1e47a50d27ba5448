"""Answer keys: the same questions as the dataset's, in the version that a submission states."""

from pathlib import Path

import pytest

from hlvid.dataset import Question, load
from hlvid.errors import DatasetError
from hlvid.mini.manifest import write_questions
from hlvid.mini.plan import plan
from leaderboard.benchmarks import AnswerKey, Keys, answer_key, content_hash

CSV = """question_id,category,question,answer,video_path
q1,av,"What is it?
A. a lamp
B. a sign
Please answer directly with the letter of the correct answer.",{answer},a.mp4
"""


def test_mini_key_equals_the_dataset_that_is_generated(tmp_path: Path) -> None:
    write_questions(tmp_path, plan("default", 0))
    key = answer_key("hlvid_mini")
    loaded = load(tmp_path)
    assert [(q.id, q.video, q.source, q.category, q.prompt(), q.answer, q.tier) for q in key.questions] == [
        (q.id, q.video, q.source, q.category, q.prompt(), q.answer, q.tier) for q in loaded
    ]
    assert key.revision == f"mini-default-0@sha256:{content_hash(loaded)}"


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


@pytest.mark.parametrize(
    "revision", ["mini-default-7", "mini-huge-0", "../../etc", "", "x" * 5000, "sha256:1"]
)
def test_other_mini_sets_are_refused(revision: str) -> None:
    with pytest.raises(DatasetError, match="allowed: mini-default-0"):
        answer_key("hlvid_mini", revision)


def test_another_benchmark_lies_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match=r"mvbench: no answer key at .*mvbench; put its questions there"):
        answer_key("mvbench")
    (tmp_path / "mvbench").mkdir()
    (tmp_path / "mvbench" / "questions.csv").write_text(CSV.format(answer="B"))
    key = answer_key("mvbench")
    assert [question.answer for question in key.questions] == ["B"]
    assert key.matches(key.revision) and key.matches(f"sha256:{content_hash(key.questions)}")


def test_hlvid_itself_names_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="hlvid download"):
        answer_key("hlvid")


def test_a_withheld_answer_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path))
    (tmp_path / "egoschema").mkdir()
    (tmp_path / "egoschema" / "questions.csv").write_text(CSV.format(answer=""))
    with pytest.raises(DatasetError, match="q1: its answer is withheld"):
        answer_key("egoschema")


def test_content_hash_sees_every_part(key: AnswerKey) -> None:
    def changed(**parts: object) -> str:
        first = {**vars(key.questions[0]), **parts}
        return content_hash([Question(**first), *key.questions[1:]])  # type: ignore[arg-type]

    assert changed() == content_hash(key.questions) == content_hash(key.questions[::-1])
    others = [
        changed(answer="B"),
        changed(stem="?"),
        changed(options={"A": "x", "B": "y"}),
        changed(video="v.mp4"),
    ]
    assert len({changed(), *others}) == 5
