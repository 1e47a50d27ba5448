"""Run with: pytest tests/hlvid/tasks/test_docs.py. A bad dataset is named before a model is built."""

import json
import os
import shutil
from pathlib import Path

import pytest

from hlvid.dataset import load
from hlvid.errors import DatasetError
from hlvid.tasks import costs
from hlvid.tasks import folder as docs
from hlvid.tasks.doc import question_of


def test_questions_survive_the_way_through_arrow(home: Path) -> None:
    from datasets import load_from_disk

    folder = docs.prepare("hlvid", docs.hlvid_folder())
    read = [question_of(doc) for doc in load_from_disk(str(folder))["test"]]
    assert read == load("hlvid")
    info = json.loads((folder / docs.INFO).read_text())
    assert info["questions"] == 6
    assert info["set_questions"] == 6 and info["set"].startswith("sha256:")


def test_preparing_twice_writes_once_and_forgets_old_costs(home: Path) -> None:
    folder = docs.prepare("hlvid", docs.hlvid_folder())
    before = (folder / docs.INFO).stat().st_mtime_ns
    costs.record("0", {"frames": 12})
    assert docs.prepare("hlvid", docs.hlvid_folder()) == folder
    assert (folder / docs.INFO).stat().st_mtime_ns == before
    assert costs.lookup("0") == {}


def test_a_half_written_folder_is_replaced(home: Path) -> None:
    folder = docs.prepare("hlvid", docs.hlvid_folder())
    (folder / docs.INFO).unlink()
    assert docs.prepare("hlvid", docs.hlvid_folder()) == folder
    assert (folder / docs.INFO).is_file()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_same_data_elsewhere_are_the_same_set(home: Path, tmp_path: Path) -> None:
    first = docs.prepare("hlvid", docs.hlvid_folder())
    (home / "hlvid").rename(tmp_path / "moved")
    second = docs.prepare("hlvid", tmp_path / "moved")
    assert first != second  # its rows hold the paths of the videos
    assert (first / docs.INFO).read_text() == (second / docs.INFO).read_text()


def test_what_nobody_used_for_long_goes(home: Path) -> None:
    first = docs.prepare("hlvid", docs.hlvid_folder())
    mini = first.with_name("hlvid_mini-0123456789abcdef")
    mini.mkdir()
    questions = home / "hlvid" / "data" / "test.jsonl"
    questions.write_text(questions.read_text().replace("DL8", "DL9"))
    docs.prepare("hlvid", docs.hlvid_folder())
    assert first.is_dir()
    for folder in (first, mini):
        os.utime(folder, (0, 0))
    docs.prepare("hlvid", docs.hlvid_folder())
    assert not first.exists() and mini.is_dir()


def test_other_code_prepares_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = docs.prepare("hlvid", docs.hlvid_folder())
    monkeypatch.setattr(docs, "FORMAT", docs.FORMAT + 1)
    assert docs.prepare("hlvid", docs.hlvid_folder()) != first


def test_other_questions_or_videos_are_another_folder(home: Path) -> None:
    root = home / "hlvid"
    first = docs.prepare("hlvid", root)
    video = root / "videos" / "clip_av_video_3_000.mp4"
    shutil.copy(video, root / "kept")
    video.write_bytes(video.read_bytes() + b"\0")
    second = docs.prepare("hlvid", root)
    (root / "kept").replace(video)
    questions = root / "data" / "test.jsonl"
    questions.write_text(questions.read_text().replace("DL8", "DL9"))
    third = docs.prepare("hlvid", root)
    assert len({first, second, third}) == 3


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda path: path.unlink(), "question 3: video clip_household_video_1_000.mp4 not found"),
        (lambda path: path.write_bytes(b""), "question 3: video .* is an empty file"),
        (lambda path: path.write_bytes(path.read_bytes()[:600]), "question 3: video .* does not decode"),
        (lambda path: path.write_text("<html>404</html>" * 99), "question 3: video .* does not decode"),
    ],
)
def test_a_broken_video_is_named_with_question_and_remedy(home: Path, damage: object, text: str) -> None:
    assert callable(damage)
    damage(home / "hlvid" / "videos" / "clip_household_video_1_000.mp4")
    remedy = "run 'hlvid download --videos clip_household_video_1_000.mp4'"
    with pytest.raises(DatasetError, match=f"{text}.*{remedy}"):
        docs.prepare("hlvid", docs.hlvid_folder())


def test_a_part_of_the_benchmark_runs_when_asked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "hlvid" / "videos" / "clip_household_video_1_000.mp4").unlink()
    monkeypatch.setenv("HLVID_PARTIAL", "1")
    folder = docs.prepare("hlvid", docs.hlvid_folder())
    info = json.loads((folder / docs.INFO).read_text())
    assert info["questions"] == 3 and info["set_questions"] == 6
    (home / "hlvid" / "videos" / "clip_av_video_3_000.mp4").unlink()
    with pytest.raises(DatasetError, match="not one video"):
        docs.prepare("hlvid", docs.hlvid_folder())


def test_secret_answers_cannot_be_scored(home: Path) -> None:
    path = home / "hlvid" / "data" / "test.jsonl"
    rows = [{**json.loads(line), "answer": None} for line in path.read_text().splitlines()]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    with pytest.raises(DatasetError, match="question 0: no answer"):
        docs.prepare("hlvid", docs.hlvid_folder())


def test_nothing_downloaded_points_to_both_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match=r"hlvid download.*hlvid_mini"):
        docs.hlvid_folder()


def test_a_damaged_video_is_asked_about_only_if_the_user_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by name; with HLVID_DAMAGED=1 kept, and its rows say how; with HLVID_PARTIAL=1 left out, by name."""
    from datasets import load_from_disk

    name = "clip_household_video_1_000.mp4"
    video = home / "hlvid" / "videos" / name
    whole = faststart(video)
    video.write_bytes(whole[:-100])
    said = f"{name} is cut short: {len(whole) - 100} of {len(whole)} bytes"
    with pytest.raises(DatasetError, match=f"question 3: video {said}"):
        docs.prepare("hlvid", docs.hlvid_folder())
    monkeypatch.setenv("HLVID_PARTIAL", "1")
    with pytest.warns(UserWarning, match=f"1 videos left out .HLVID_PARTIAL=1.: {said}"):
        folder = docs.prepare("hlvid", docs.hlvid_folder())
    assert len(load_from_disk(str(folder))["test"]) == 3
    monkeypatch.setenv("HLVID_DAMAGED", "1")
    with pytest.warns(UserWarning, match=f"1 videos asked about although damaged .HLVID_DAMAGED=1.: {said}"):
        folder = docs.prepare("hlvid", docs.hlvid_folder())
    rows = load_from_disk(str(folder))["test"]
    assert [bool(row["video_damage"]) for row in rows] == [row["video"] == name for row in rows]
    assert any("is cut short" in (row["video_damage"] or "") for row in rows)


def faststart(path: Path) -> bytes:
    """The same packets with the index in front, so that a cut copy still plays."""
    import av

    fresh = path.with_name("faststart.mp4")
    with av.open(str(path)) as old, av.open(str(fresh), "w", options={"movflags": "faststart"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    data = fresh.read_bytes()
    fresh.unlink()
    return data
