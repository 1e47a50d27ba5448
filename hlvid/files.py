"""How a file is written whole, appended to, and locked: one way for every command.

>>> write_json(Path("results.json"), {"status": "ok"})     # the old file or the new one, never half of one
>>> with locked(Path("run.lock")):                         # other processes wait; the lock dies with this one
...     append_line(Path("records.jsonl"), {"cell": 1})    # on disk when it returns, or not at all

A lock is a file of its own beside what it guards (`filelock`: flock where there is one) and is left in place. It holds
between processes and between threads.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from hlvid.errors import HlvidError

SAMPLE = 1 << 16
_POLL = 0.01
"""Seconds between two looks at a lock that somebody else holds."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A fresh path in the same folder, with the same ending; it takes the place of `path` if the block ends well.

    What was written is on disk (fsync) before the old file goes. Of two writers the later one's file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.stem[:80]}-{secrets.token_hex(8)}{path.suffix}")
    try:
        fresh.touch(exist_ok=False)  # with the mode that the process gives to new files
        yield fresh
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            fresh.chmod(path.stat().st_mode & 0o7777)
        fresh.replace(path)
    except OSError as error:
        raise _about(path, error) from error
    finally:
        fresh.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Whole or not at all; UTF-8, line ends as they are."""
    with whole(path) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, data: Any, indent: int | None = 1) -> None:
    """Whole or not at all; NaN, which is no JSON, is refused with ValueError."""
    write_text(path, json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def read_object(path: Path) -> dict[str, Any]:
    """A file's JSON object; {} where there is none that can be read."""
    with suppress(OSError):
        return _object(path.read_bytes()) or {}
    return {}


def mark(path: Path) -> str:
    """16 hex digits over a large file's size, beginning, middle and end (64 KiB each): tells videos apart, not bytes.

    Another recording, cut or encoding of the same size differs there, where containers keep their tables. Read once a
    process while the file is the same. Raises OSError where it cannot be read.
    """
    stat = path.stat()
    return _mark(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


@lru_cache(maxsize=8192)
def _mark(path: Path, size: int, *_: int) -> str:
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in (0, (size - SAMPLE) // 2, size - SAMPLE):
            file.seek(max(0, start))
            digest.update(file.read(SAMPLE))
    return digest.hexdigest()[:16]


class _Lock(FileLock):
    """A class of our own: lmms-eval makes each `FileLock` one for the whole process, open to all of its threads."""


@contextmanager
def locked(path: Path, busy: HlvidError | None = None) -> Iterator[None]:
    """Hold the lock file `path`, made if missing with its folder; waits for as long as it takes.

    Args:
        busy: raised instead of waiting where somebody else holds it.

    Raises:
        OSError: the lock file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _Lock(path)
    try:
        lock.acquire(timeout=-1 if busy is None else 0, poll_interval=_POLL)
    except Timeout:
        assert busy is not None
        raise busy from None
    try:
        yield
    finally:
        lock.release()


def append_line(path: Path, data: Mapping[str, Any]) -> None:
    """Add a line of JSON; it is on disk (fsync) when this returns, or the file is as it was.

    Only under a lock that all writers take. A line that a kill has torn is ended first; a disk that fills up in
    mid-line takes nothing.

    Raises:
        ValueError, TypeError: `data` is no JSON. OSError: it could not be written.
    """
    line = json.dumps(data, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    with path.open("ab+") as file:
        try:
            _append(file, (b"\n" if _torn(file) else b"") + line)
        except OSError as error:
            raise _about(path, error) from error


class Lines:
    """The JSON objects of a growing file of lines, each handed out once.

    `read()` gives those that were added since the last call, with their numbers from 1. A line that is no JSON
    object (torn by a kill) is handed out as None. A last line without its end is left for later, unless `final`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = self._number = 0

    def read(self, final: bool = False) -> list[tuple[int, dict[str, Any] | None]]:
        """What is new; [] where the file does not exist."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        end = len(data) if final else data.rfind(b"\n") + 1
        self._offset += end
        found: list[tuple[int, dict[str, Any] | None]] = []
        for raw in data[:end].split(b"\n")[: None if final else -1]:
            self._number += 1
            if raw.strip():
                found.append((self._number, _object(raw)))
        return found


def _about(path: Path, error: OSError) -> OSError:
    """The same error with the file's name, which a full disk does not tell."""
    return error if error.filename else OSError(error.errno, error.strerror, str(path))


def _object(raw: bytes) -> dict[str, Any] | None:
    with suppress(ValueError):  # JSONDecodeError, or UnicodeDecodeError inside a character
        found = json.loads(raw)
        if isinstance(found, dict):
            return found
    return None


def _torn(file: IO[bytes]) -> bool:
    """Whether the last line lacks its end."""
    if not (end := file.seek(0, os.SEEK_END)):
        return False
    file.seek(end - 1)
    return file.read(1) != b"\n"


def _append(file: IO[bytes], data: bytes) -> None:
    descriptor, end = file.fileno(), file.seek(0, os.SEEK_END)
    try:
        while data:
            data = data[_write(descriptor, data) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


_write = os.write
"""Returns how many bytes it took, which may be fewer than it was given."""
