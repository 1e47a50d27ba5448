"""Files are whole or not there, lines are on disk or not, and one lock has one holder.

Run: pytest tests/hlvid/test_files.py
"""

import errno
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hlvid import files
from hlvid.errors import RunError


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.json"
    files.write_json(path, {"n": 1})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(path, {"n": float("nan")})
    with pytest.raises(ZeroDivisionError), files.whole(path) as fresh:
        fresh.write_text("half of")
        raise ZeroDivisionError
    assert json.loads(path.read_text()) == {"n": 1}
    assert list(path.parent.iterdir()) == [path]


def test_others_may_read_what_they_could_read_before(tmp_path: Path) -> None:
    path, plain = tmp_path / "a.json", tmp_path / "plain"
    plain.write_text("")
    files.write_text(path, "1")
    assert path.stat().st_mode == plain.stat().st_mode  # the umask's, not a temporary file's 0600
    path.chmod(0o640)
    files.write_text(path, "2")
    assert path.stat().st_mode & 0o777 == 0o640


def _write_many(path: Path, letter: str) -> None:
    for _ in range(60):
        files.write_json(path, {"text": letter * 5000})


def test_a_reader_beside_two_writers_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"text": ""})
    writers = [_started(_write_many, path, letter) for letter in "ab"]
    seen = 0
    while any(writer.is_alive() for writer in writers):
        assert len(set(json.loads(path.read_text())["text"])) <= 1
        seen += 1
    assert seen and [writer.exitcode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]


def _append_many(folder: Path, name: str) -> None:
    for index in range(50):
        with files.locked(folder / "lock"):
            files.append_line(folder / "lines", {"from": name, "n": index, "fill": "é" * 3000})


def test_lines_of_three_writers_are_all_there(tmp_path: Path) -> None:
    lines = files.Lines(tmp_path / "lines")
    writers = [_started(_append_many, tmp_path, name) for name in "abc"]
    found: list[tuple[int, dict[str, object] | None]] = []
    while any(writer.is_alive() for writer in writers):
        found += lines.read()
    found += lines.read()
    assert [number for number, _ in found] == list(range(1, 151))
    assert {(one["from"], one["n"]) for _, one in found if one} == {(a, n) for a in "abc" for n in range(50)}


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    files.append_line(path, {"n": 1})
    with path.open("ab") as file:
        file.write('{"n": "é'.encode()[:-1])
    reader = files.Lines(path)
    assert reader.read() == [(1, {"n": 1})]
    files.append_line(path, {"n": 2})
    assert reader.read() == [(2, None), (3, {"n": 2})]
    with path.open("ab") as file:
        file.write(b'{"n": 3}')  # a last line without its end
    assert reader.read() == []
    assert reader.read(final=True) == [(4, {"n": 3})]


def test_a_disk_that_fills_up_in_mid_line_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lines"
    files.append_line(path, {"n": 1})
    before = path.read_bytes()

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(descriptor, data[:5])

    monkeypatch.setattr(files, "_write", full)
    with pytest.raises(OSError, match="No space"):
        files.append_line(path, {"n": 2, "text": "x" * 30})
    assert path.read_bytes() == before


def _hold(path: Path, held: Any) -> None:
    with files.locked(path):
        held.set()
        time.sleep(60)


def test_a_full_disk_is_told_with_the_file_and_the_old_one_stays(tmp_path: Path) -> None:
    """The kernel names no file when a write fails; a real limit stands for the disk."""
    path = tmp_path / "results.json"
    files.write_json(path, {"old": True})
    code = (
        "import resource, sys; from pathlib import Path; from hlvid.errors import of_path; from hlvid.files import *\n"
        "path = Path(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "for write in (write_json, append_line):\n"
        "    try: write(path, {'x': 'y' * 500})\n"
        "    except OSError as error: print(of_path(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert len(told) == 2 and all(line.startswith(f"{path}: file too large; free space") for line in told)
    assert json.loads(path.read_text()) == {"old": True} and list(tmp_path.iterdir()) == [path]


def test_a_lock_dies_with_its_process_and_tells_others_until_then(tmp_path: Path) -> None:
    path = tmp_path / "a" / "lock"
    context = multiprocessing.get_context("fork")
    held = context.Event()
    holder = context.Process(target=_hold, args=(path, held))
    holder.start()
    assert held.wait(30)
    with pytest.raises(RunError, match="busy"), files.locked(path, RunError("busy")):
        pass
    holder.kill()
    with files.locked(path), pytest.raises(RunError), files.locked(path, RunError("busy")):
        pass  # two locks of one process exclude each other, too
    holder.join(10)


def _started(work: Callable[..., None], *args: Any) -> Any:
    process = multiprocessing.get_context("fork").Process(target=work, args=args)
    process.start()
    return process


def test_a_lock_holds_in_a_process_that_ran_lmms_eval(tmp_path: Path) -> None:
    from lmms_eval import evaluator

    evaluator._enable_reentrant_filelocks()  # as at the start of each of its runs
    path = tmp_path / "lock"
    with files.locked(path), pytest.raises(RunError, match="busy"), files.locked(path, RunError("busy")):
        pass
