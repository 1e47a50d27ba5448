"""What lies in the folder of a run, and writing it so that a kill leaves the old file or the new one.

Example::

    write_json(folder / RESULTS, {"status": "ok"})
    read_samples(folder)[0]["question_id"]
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hlvid.errors import RunError

SPEC = "spec.json"
"""The `RunSpec`; a folder belongs to one."""
RESULTS, RECORD, SAMPLES, REPORT = "results.json", "record.json", "samples.jsonl", "report.html"
JOURNAL, GAZE, PICTURES, RAW, LOG = "journal", "gaze", "pictures", "lmms_eval", "log.txt"


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Whole or not at all; NaN, which is no JSON, is refused with ValueError."""
    _write(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_samples(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """`samples.jsonl`: one question a line."""
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
    _write(folder / SAMPLES, "".join(lines))


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


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f"{path.suffix}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
