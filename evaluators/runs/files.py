"""What lies in the folder of a run, and reading it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hlvid.errors import RunError
from hlvid.files import write_text

SPEC = "spec.json"
"""The `RunSpec`; a folder belongs to one."""
RESULTS, RECORD, SAMPLES, REPORT = "results.json", "record.json", "samples.jsonl", "report.html"
LOCK, HOLDER = ".run.lock", ".run.json"
"""Held by the process that works in the folder, and who that is."""
ASKED = "asked-*.json"
"""In the journals' folder: what each process of a run asks."""
JOURNAL, GAZE, PICTURES, RAW, LOG = "journal", "gaze", "pictures", "lmms_eval", "log.txt"


def write_samples(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """`samples.jsonl`: one question a line."""
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
    write_text(folder / SAMPLES, "".join(lines))


def read_json(path: Path) -> dict[str, Any]:
    """Raises RunError where there is no such file, or no JSON object in it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(data, dict):
        raise RunError(f"{path}: holds no JSON object")
    return data


def read_samples(folder: Path) -> list[dict[str, Any]]:
    """The lines of `samples.jsonl`. Raises RunError where there are none to read."""
    path = folder / SAMPLES
    try:
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError | ValueError) -> RunError:
    reason = error.strerror if isinstance(error, OSError) else error
    return RunError(f"{path}: cannot be read ({reason}); is this the folder of a finished run?")
