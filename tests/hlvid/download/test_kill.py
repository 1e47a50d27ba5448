"""Run with: pytest tests/hlvid/sources/test_kill.py. kill -9 in mid-preparation; the next run goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid.benchmarks import locate, registry
from hlvid.download.fetch import get as prepare
from hlvid.download.remote import FolderRemote

# argv: benchmark, stand-in folder. Slow enough to be killed in the middle of a file.
CHILD = """
import sys, time
from pathlib import Path
from hlvid.download import remote, transfer
from hlvid.download.fetch import get as prepare
transfer.PIECE, transfer.CHECKPOINT = 2048, 8192

class Slow(remote.FolderRemote):
    def read(self, path, start, length):
        time.sleep(0.003)
        return super().read(path, start, length)

prepare(sys.argv[1], source=Slow(Path(sys.argv[2])), workers=2, progress=False)
"""


def gathered(root: Path) -> int:
    """Bytes of videos on disk, whole or partial."""
    total = 0
    for path in root.rglob("*.mp4"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # renamed between the listing and the look
            continue
    return total


def whole_files(root: Path) -> dict[str, bytes]:
    paths = [
        path for path in root.rglob("*") if path.suffix in (".mp4", ".srt") and ".partial" not in path.parts
    ]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("name", ["videomme", "longvideobench"])
def test_killed_again_and_again(
    name: str, make_hub: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, root = make_hub(name), locate.home(registry.get(name))
    size = sum(len(content) for path, content in hub.needed.items() if path.endswith(".mp4"))
    in_mid_file = 0
    for share in (0.2, 0.5, 0.8):
        child = subprocess.Popen([sys.executable, "-c", CHILD, name, str(hub.folder)], env=dict(os.environ))
        deadline = time.monotonic() + 60
        while gathered(root) < share * size and child.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, "killed too late: nothing was left to interrupt"
        in_mid_file += bool(list(root.rglob(".partial/*.mp4")))
        assert whole_files(root).items() <= hub.needed.items(), "a file under its final name is not whole"
    assert in_mid_file >= 2

    had = gathered(root)
    monkeypatch.setattr("hlvid.download.transfer.CHECKPOINT", 8192)
    report = prepare(name, source=FolderRemote(hub.folder), progress=False)
    assert whole_files(root) == hub.needed
    assert report.fetched_bytes <= size - had + 2 * 8192 + 10_000  # 10 kB: the subtitles
    assert not list(root.rglob(".partial"))
