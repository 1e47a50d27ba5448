"""A sweep's records: one line of JSON a finished cell, appended whole or not at all, read as one table.

Example::

    append(folder, record)                 # locked, flushed to disk, refused where the cell is there already
    table = load(folder)                   # pandas: task, model, frames, resolution, ..., accuracy, tokens, seconds

A line torn by a crash is ended by the next append; lines that cannot be read are reported by number and skipped.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hlvid.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

FILE = "records.jsonl"
FINAL = ("ok", "out_of_memory", "context_overflow", "timeout")
"""How a cell can be done; after an error or an interruption it is run again."""
STAGES = ("decode", "select", "encode", "prefill", "generate")
STAGE_NAMES = {"selector": "select", "encoder": "encode", "generation": "generate"}


def append(folder: Path, record: Mapping[str, Any]) -> bool:
    """Add a record; False where a final one of the same identity is there already.

    Raises RunError for a folder that cannot be written, or a full disk.
    """
    try:
        with _locked(folder):
            if record["identity"] in done(folder):
                return False
            line = json.dumps(record, sort_keys=True).encode() + b"\n"
            with (folder / FILE).open("ab+") as file:
                _whole(file, _torn(file) + line)
    except OSError as error:
        reason = f"cannot keep a record ({error.strerror}); free space or choose another folder"
        raise RunError(f"sweep {folder}: {reason}") from error
    return True


def read(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """All records that can be read, and one message a line that cannot."""
    path = folder / FILE
    records, faults = [], []
    lines = path.read_bytes().split(b"\n") if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict) or "identity" not in record or "status" not in record:
                raise ValueError("is no record")
            records.append(record)
        except ValueError as error:
            faults.append(f"{path}, line {number}: cannot be read ({error}); its cell will run again")
    return records, faults


def done(folder: Path) -> set[str]:
    """Identities of the cells that need not run again."""
    return {record["identity"] for record in read(folder)[0] if record["status"] in FINAL}


def latest(folder: Path) -> list[dict[str, Any]]:
    """The last record of each cell, in the order of their first."""
    by_cell: dict[str, dict[str, Any]] = {}
    for record in read(folder)[0]:
        by_cell[record["identity"]] = record
    return list(by_cell.values())


def load(folder: Path) -> "pd.DataFrame":
    """One row a cell. Columns that a model does not record are empty."""
    import pandas as pd

    return pd.DataFrame([row(record) for record in latest(folder)], columns=COLUMNS)


def row(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as a line of the table."""
    labels, results = record.get("labels", {}), record.get("results", {})
    wilson, clustered = (results.get(name) or (None, None) for name in ("wilson", "clustered"))
    seconds = {
        STAGE_NAMES.get(name, name): value
        for name, value in (results.get("seconds_per_question") or {}).items()
    }
    return {
        **{name: labels.get(name) for name in ("selector", "frames", "resolution", "ratio", "loss")},
        **{name: record.get(name) for name in ("identity", "task", "model", "status", "message", "hardware")},
        "limit": record.get("limit"),
        **{name: results.get(name) for name in ("n", "correct", "accuracy")},
        "wilson_low": wilson[0], "wilson_high": wilson[1],
        "clustered_low": clustered[0], "clustered_high": clustered[1],
        "tokens": results.get("tokens_per_question"), "llm_tokens": results.get("llm_tokens_per_question"),
        "seconds": sum(seconds.values()) if seconds else None,
        **{f"seconds_{name}": seconds.get(name) for name in STAGES},
        "peak_memory": results.get("peak_memory_bytes"),
        "settings": json.dumps(record.get("model_args", {}), sort_keys=True),
    }  # fmt: skip


COLUMNS = (
    "task", "model", "selector", "frames", "resolution", "ratio", "loss", "status", "limit", "n", "correct", "accuracy",
    "wilson_low", "wilson_high", "clustered_low", "clustered_high", "tokens", "llm_tokens", "seconds",
    *(f"seconds_{name}" for name in STAGES), "peak_memory", "hardware", "message", "settings", "identity",
)  # fmt: skip


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "records.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _torn(file: IO[bytes]) -> bytes:
    """What ends a line that a crash has cut short."""
    end = file.seek(0, os.SEEK_END)
    if not end:
        return b""
    file.seek(end - 1)
    return b"" if file.read(1) == b"\n" else b"\n"


def _whole(file: IO[bytes], line: bytes) -> None:
    """On disk before it returns, or not at all: a disk that fills up in mid-line takes only part of it."""
    descriptor, end = file.fileno(), file.seek(0, os.SEEK_END)
    try:
        while line:
            line = line[_write(descriptor, line) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


_write = os.write
"""Returns how many bytes it took, which may be fewer than it was given."""
