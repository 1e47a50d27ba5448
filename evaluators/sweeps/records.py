"""A sweep's records: one line of JSON a finished cell, appended whole or not at all, read as one table.

A line torn by a crash is ended by the next append; lines that cannot be read are reported by number and skipped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlvid.errors import RunError
from hlvid.files import Lines, append_line, locked

if TYPE_CHECKING:
    import pandas as pd

Record = dict[str, Any]
FILE = "records.jsonl"
FINAL = ("ok", "out_of_memory", "context_overflow", "length", "timeout")
"""How a cell can be done; after an error or an interruption it is run again, after a time-out under another limit."""
STAGES = ("decode", "select", "encode", "prefill", "generate")
STAGE_NAMES = {"selector": "select", "encoder": "encode", "generation": "generate"}


@dataclass(frozen=True)
class Again:
    """What of the records does not count.

    timeout: seconds that a cell may take now; a time-out under another limit says nothing about this one.
    statuses: to be had anew, of cells that ended before `since` (an ISO time).
    """

    timeout: float | None = None
    statuses: tuple[str, ...] = ()
    since: str = ""

    def is_done(self, record: Mapping[str, Any]) -> bool:
        """Whether its cell need not run again."""
        if record["status"] == "timeout" and record.get("timeout") != self.timeout:
            return False
        old = str(record.get("finished", "")) < self.since
        return record["status"] in FINAL and not (old and record["status"] in self.statuses)


def append(folder: Path, record: Mapping[str, Any], again: Again | None = None) -> bool:
    """Add a record; False where a final one of the same run is there already.

    Raises RunError for a folder that cannot be written, or a full disk.
    """
    try:
        with locked(folder / "records.lock"):
            known = done(folder, again).get(record["identity"])
            if known is not None and _shaped_by(known) == _shaped_by(record):
                return False
            append_line(folder / FILE, record)
    except OSError as error:
        reason = f"cannot keep a record ({error.strerror}); free space or choose another folder"
        raise RunError(f"sweep {folder}: {reason}") from error
    return True


def read(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """All records that can be read, and one message a line that cannot."""
    path = folder / FILE
    records, faults = [], []
    for number, record in Lines(path).read(final=True):
        if record is not None and {"identity", "status"} <= record.keys():
            records.append(record)
        else:
            faults.append(f"{path}, line {number}: cannot be read as a record; its cell will run again")
    return records, faults


def done(folder: Path, again: Again | None = None) -> dict[str, Record]:
    """The last records, by identity, of the cells that need not run again."""
    counts = (again or Again()).is_done
    return {record["identity"]: record for record in latest(folder, by="identity") if counts(record)}


def _shaped_by(record: Mapping[str, Any]) -> Any:
    return (record.get("results") or {}).get("identity")


def latest(folder: Path, by: str = "place") -> list[dict[str, Any]]:
    """The last record of each cell, in the order of their first.

    Args:
        by: "place": of what was asked on which data, so that what ran again with other code stands once;
            "identity": of everything that shaped it.
    """
    by_cell: dict[str, dict[str, Any]] = {}
    for record in read(folder)[0]:
        by_cell[record.get(by) or record["identity"]] = record
    return list(by_cell.values())


def load(folder: Path) -> "pd.DataFrame":
    """One row a cell. Columns that a model does not record are empty."""
    import pandas as pd

    return pd.DataFrame([row(record) for record in latest(folder)], columns=COLUMNS)


def row(record: Mapping[str, Any]) -> dict[str, Any]:
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
