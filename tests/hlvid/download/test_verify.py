"""hlvid.download.verify on small generated videos: the report on whole, missing, truncated and swapped files."""

import io
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from rich.console import Console

from hlvid.download.catalogue import Fetched, note
from hlvid.download.transfer import sums_of
from hlvid.download.verify import Report, verify

NAMES = ["clip_av_video_1_000.mp4", "clip_av_video_1_001.mp4", "clip_household_video_2_000.mp4"]


def write_video(path: Path, frames: int = 30, width: int = 160, height: int = 96) -> None:
    rng = np.random.default_rng(frames)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(frames):
            picture = rng.integers(0, 255, (height, width, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset of three videos of 30, 31 and 32 frames and two questions on each."""
    (tmp_path / "videos").mkdir()
    for extra, name in enumerate(NAMES):
        write_video(tmp_path / "videos" / name, 30 + extra)
    rows = [
        {
            "question_id": 2 * i + k,
            "category": name.split("_")[1],
            "question": "Q?\nA. x\nB. y",
            "answer": "A",
            "video_path": name,
        }
        for i, name in enumerate(NAMES)
        for k in range(2)
    ]
    (tmp_path / "questions.json").write_text(json.dumps(rows))
    return tmp_path


def check(root: Path, **how: Any) -> Report:
    return verify(root, progress=False, **how)


@pytest.mark.parametrize("depth", ["quick", "full", "deep"])
def test_all_well(root, depth):
    report = check(root, depth=depth)
    assert report.ok and report.broken == ()
    assert [c.questions for c in report.checks] == [("0", "1"), ("2", "3"), ("4", "5")]
    known = [c.index for c in report.checks]
    assert [(*one.shape.shown, one.count, one.codec) for one in known] == [
        (96, 160, 30 + k, "h264") for k in range(3)
    ]
    assert known[0].fps == pytest.approx(30) and known[0].duration == pytest.approx(1.0, abs=0.05)
    assert report.summary().startswith("3 videos, 6 questions: all")


def test_everything_broken_is_listed_not_only_the_first(root):
    (root / "videos" / NAMES[0]).unlink()
    (root / "videos" / NAMES[1]).write_bytes(b"this is not a video" * 100)
    report = check(root)
    assert not report.ok
    assert [c.video for c in report.broken] == NAMES[:2]
    missing, garbage = report.broken
    assert missing.problem.endswith(f"run 'hlvid download --videos {NAMES[0]}'") and missing.index is None
    assert garbage.problem.startswith("does not decode") and f"{NAMES[1]} (question" in report.summary()
    assert (
        "2 videos broken (depth: full)" in report.summary()
        and f"{NAMES[0]} (question 0, 1): not found" in report.summary()
    )


def test_empty_file(root):
    (root / "videos" / NAMES[0]).write_bytes(b"")
    assert [c.video for c in check(root).broken] == [NAMES[0]]


def test_truncated_file_is_found_by_deep(root):
    """Cut in the middle of the data with the index intact: a header check alone would call it whole."""
    path = root / "videos" / NAMES[2]
    faststart = root / "fast.mp4"
    with av.open(str(path)) as old, av.open(str(faststart), "w", options={"movflags": "faststart"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    whole = faststart.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert [c.video for c in check(root, depth="deep").broken] == [NAMES[2]]


def test_truncated_real_file(shared, root):
    """Declares 50 frames, decodes 28."""
    path = root / "videos" / NAMES[0]
    path.write_bytes((shared / "clips/containers/decord_corrupted.mp4").read_bytes())
    assert [c.video for c in check(root, depth="deep").broken] == [NAMES[0]]


def test_file_other_than_the_one_downloaded(root):
    for name in NAMES:
        path = root / "videos" / name
        content = {"size": path.stat().st_size, "sha256": sums_of(path).sha256}
        note(root, Fetched(path=f"videos/{name}", archive="p.tar", entry=name, **content))
    assert check(root, hashes=True).ok
    tail = (root / "videos" / NAMES[1]).read_bytes()
    (root / "videos" / NAMES[1]).write_bytes(tail[:-1] + bytes([tail[-1] ^ 1]))  # same size, one bit
    assert check(root).ok or check(root).broken[0].video == NAMES[1]
    assert [c.video for c in check(root, hashes=True).broken] == [NAMES[1]]
    write_video(root / "videos" / NAMES[0], 5)
    assert "were downloaded" in check(root).broken[0].problem


def test_table_shows_every_video(root):
    (root / "videos" / NAMES[0]).unlink()
    out = io.StringIO()
    report = check(root)
    Console(file=out, width=80).print(report.table())
    assert all(name in out.getvalue() for name in NAMES), "no name is cut short on 80 columns"
    assert "160x96" in out.getvalue() and "broken" in out.getvalue()
    assert NAMES[0] in report.summary() and "not found" in report.summary()


def test_no_questions_is_not_ok():
    assert not verify([], progress=False).ok
