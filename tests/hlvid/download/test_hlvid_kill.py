"""kill -9 at many moments of a download: what lies under a final name is whole, and the next run goes on.

Each download runs in a process of its own that is slowed to a few kilobytes a read and killed by SIGKILL from
outside when it has written a given number of bytes, or dies of SIGKILL at a named step inside.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hlvid.download.catalogue import fetched
from hlvid.download.fetch import get

# argv: stand-in folder, root, point: "outside", or the call before or after which the child kills itself.
CHILD = """
import itertools, os, signal, sys, time
from pathlib import Path
from hlvid.download import catalogue, fetch, remote, transfer, verify_archives
transfer.PIECE, transfer.CHECKPOINT = 4096, 16384
folder, root, point = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

class Slow(remote.FolderRemote):
    def read(self, path, start, length):
        time.sleep(0.002 if point == "outside" else 0)
        return super().read(path, start, length)

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

def dying(owner, name, nth, before):
    real, calls = getattr(owner, name), itertools.count(1)
    def wrapped(*args, **kwargs):
        mine = next(calls)  # two threads come through here: each has a number of its own
        if mine == nth and before: die()
        result = real(*args, **kwargs)
        if mine == nth: die()
        return result
    setattr(owner, name, wrapped)

if point != "outside":
    where, name, nth, before = point.split(":")
    owner = {"Path": Path}.get(where) or sys.modules["hlvid.download." + where]
    dying(owner, name, int(nth), before == "before")
fetch.get("hlvid", out=root, source=Slow(folder), workers=2, progress=False)
"""


def download(root, **choice):
    return get("hlvid", out=root, progress=False, **choice)


def child(folder: Path, root: Path, point: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(folder), str(root), point])


def assert_nothing_half_written(root: Path, videos: dict[str, bytes]) -> None:
    for path in (root / "videos").glob("*.mp4"):
        assert path.read_bytes() == videos[path.name], f"{path.name} under its final name is not whole"


def finish(standin, root: Path) -> int:
    """Go on in this process; returns the bytes that still came."""
    report = download(root, source=standin.folder)
    assert {path.name: path.read_bytes() for path in (root / "videos").glob("*.mp4")} == standin.videos
    assert len(report.verified) == 3
    assert not (root / "videos" / ".partial").exists()
    return report.fetched_bytes


@pytest.fixture
def standin(make_standin: Callable):
    return make_standin(parts=3, per_part=2, size=150_000)


@pytest.mark.parametrize(
    "point",
    [
        "catalogue:entries_of:1:before",
        "catalogue:entries_of:2:after",
        "catalogue:write_text:1:before",
        "catalogue:write_text:2:after",
        "transfer:partial_of:1:after",  # before the first byte of the questions
        "transfer:fetch:2:before",
        "Path:replace:1:before",  # questions complete, not renamed
        "Path:replace:6:before",
        "Path:replace:7:after",
        "Path:replace:8:before",
        "fetch:note:2:before",  # video renamed, not noted
        "fetch:note:5:after",
        "verify_archives:sha256_of_archive:2:before",
        "verify_archives:sha256_of_archive:3:after",
    ],
)
def test_killed_at_a_step(standin, tmp_path, point):
    root = tmp_path / "root"
    process = child(standin.folder, root, point)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert_nothing_half_written(root, standin.videos)
    finish(standin, root)


def gathered(root: Path) -> int:
    """Bytes of videos on disk so far, whole or partial."""
    total = 0
    for path in [*(root / "videos").glob("*.mp4"), *(root / "videos/.partial").glob("*.mp4")]:
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # renamed between the listing and the look
            continue
    return total


def test_killed_in_mid_file_again_and_again(standin, tmp_path, monkeypatch):
    root = tmp_path / "root"
    whole = sum(map(len, standin.videos.values()))
    marks = [whole * k // 7 for k in (1, 2, 4, 6)]
    caught_in_mid_file = 0
    for mark in marks:
        process = child(standin.folder, root, "outside")
        deadline = time.monotonic() + 60
        while gathered(root) < mark and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "killed too late: nothing was left to interrupt"
        caught_in_mid_file += bool(list((root / "videos/.partial").glob("*.mp4")))
        assert_nothing_half_written(root, standin.videos)
        assert gathered(root) >= mark, "an interrupted run lost what an earlier one had fetched"
    assert caught_in_mid_file >= 3
    had = gathered(root)
    monkeypatch.setattr("hlvid.download.transfer.CHECKPOINT", 16384)
    assert finish(standin, root) <= whole - had + 2 * 16384, (
        "a resumed run fetches at most one checkpoint anew"
    )


def test_resumed_file_has_the_hash_of_the_whole(standin, tmp_path, monkeypatch):
    monkeypatch.setattr("hlvid.download.transfer.CHECKPOINT", 16384)
    root = tmp_path / "root"
    name = "clip_av_video_1_000.mp4"
    partial = root / "videos" / ".partial" / name
    partial.parent.mkdir(parents=True)
    partial.write_bytes(standin.videos[name][:40_000])
    report = download(root, source=standin.folder, videos=[name])
    questions = (standin.folder / "data" / "test-00000-of-00001.csv").stat().st_size
    assert report.fetched_bytes == len(standin.videos[name]) - 32768 + questions
    alone = download(tmp_path / "alone", source=standin.folder, videos=[name])
    records = [fetched(r.root)[f"videos/{name}"] for r in (report, alone)]
    assert records[0] == records[1]


def test_partial_longer_than_the_video_is_dropped(standin, tmp_path):
    name = "clip_av_video_1_000.mp4"
    partial = tmp_path / "root" / "videos" / ".partial" / name
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"z" * 200_000)
    download(tmp_path / "root", source=standin.folder, videos=[name])
    assert (tmp_path / "root" / "videos" / name).read_bytes() == standin.videos[name]
