"""The journal of one run: every answer on disk as soon as it is given, so that a kill loses at most one.

Example::

    journal = Journal(run_path("gaze_reader", identity), identity)
    if journal.get(question.id) is None:
        journal.append(question.id, {"text": "B", "details": {"frames": 12}})

A file is JSON lines, append-only. The first line states the run's identity (model, settings, dataset,
decoder, code version); every later line is one answer and carries the identity's hash. An identity that
differs in anything is another file, and a file is never continued under an identity that is not its own. A
line torn by a kill or a full disk is skipped when reading and closed with a newline before the next one is
written.
"""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from hlvid.errors import RunError, of_path
from hlvid.paths import state_root

FORMAT = 1


def runs_folder() -> Path:
    """Where journals lie: `$HLVID_RUNS`, else `runs/` in the state folder."""
    chosen = os.environ.get("HLVID_RUNS")
    return Path(chosen).expanduser().absolute() if chosen else state_root() / "runs"


def identity_hash(identity: Mapping[str, Any]) -> str:
    """16 hex digits that differ as soon as any value of the identity does, whatever the order of keys."""
    canonical = json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def run_path(model: str, identity: Mapping[str, Any], folder: Path | None = None) -> Path:
    """The journal file of a run, `MODEL-HASH.jsonl` in `folder` (default: `runs_folder()`)."""
    safe = re.sub(r"[^\w.-]+", "_", model)
    return (folder or runs_folder()) / f"{safe}-{identity_hash(identity)}.jsonl"


class Journal:
    """The answers of one run, in memory for reading and in `path` for good.

    Several processes may append to one file: each line is written under a file lock. A process sees what
    was there when it opened the journal and what it appended itself.

    Raises:
        RunError: the file belongs to another identity, or is no journal, or its folder cannot be made.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path = path
        self.identity = dict(identity)
        self.key = identity_hash(identity)
        self._answers: dict[str, dict[str, Any]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(of_path(error) or f"{path.parent}: {error}") from None
        with self._locked() as file:
            lines = _whole_lines(file)
            if lines:
                self._read(lines)
            else:
                file.truncate(0)  # a first line torn by a kill says nothing: start again
                _write_line(file, {"journal": FORMAT, "key": self.key, "identity": self.identity})

    def get(self, question_id: str) -> dict[str, Any] | None:
        """What was recorded for a question, or None."""
        return self._answers.get(question_id)

    def append(self, question_id: str, record: Mapping[str, Any]) -> None:
        """Record an answer; it is on disk (fsync) when this returns.

        `record` must hold JSON values only. A question answered before keeps its first record when read
        again.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"question_id": question_id, "key": self.key, "at": now, "record": dict(record)}
        with self._locked() as file:
            _close_torn_line(file)
            _write_line(file, line)
        self._answers.setdefault(question_id, dict(record))

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[str]:
        """Question ids in the order of their first answers."""
        return iter(self._answers)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """The file, open for reading and appending, locked against other processes until closed."""
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _read(self, lines: list[dict[str, Any]]) -> None:
        header = lines[0]
        if header.get("journal") != FORMAT or "identity" not in header:
            raise RunError(f"{self.path}: not a journal of this version; move it away or set HLVID_RUNS")
        for line in lines:
            if line.get("key") != self.key:
                changed = _difference(header["identity"], self.identity)
                raise RunError(
                    f"{self.path}: belongs to another run ({changed}); name another file or folder"
                )
        for line in lines[1:]:
            self._answers.setdefault(line["question_id"], line["record"])


def _whole_lines(file: BinaryIO) -> list[dict[str, Any]]:
    """The JSON objects of a file; lines that a kill has torn are left out."""
    file.seek(0)
    lines = []
    for raw in file:
        try:
            line = json.loads(raw)
        except ValueError:  # torn: JSONDecodeError, or UnicodeDecodeError inside a character
            continue
        if isinstance(line, dict):
            lines.append(line)
    return lines


def _close_torn_line(file: BinaryIO) -> None:
    """End a line that was cut off, so that the next one starts on its own."""
    if file.seek(0, os.SEEK_END) == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.write(b"\n")


def _write_line(file: BinaryIO, line: Mapping[str, Any]) -> None:
    file.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Names the fields in which two identities differ, for the error message."""
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return "different " + ", ".join(names) if names else "lines of several identities in one file"
