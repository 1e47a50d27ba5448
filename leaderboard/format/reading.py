"""Reading the two files of a submission, which anybody may have written: bounded, no links, nothing executed.

Nothing here raises on bad content: what is wrong comes back as faults with line and field. What could take
long (many fields, many faults, long numbers) is cut off with a fault of its own.
"""

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from leaderboard.format.faults import Fault, from_validation, shorten
from leaderboard.format.schema import Prediction
from leaderboard.format.toml_text import Lines, fault_line, parse

TOML_BYTES = 64 * 1024
JSONL_BYTES = 50 * 1024 * 1024
LINE_CHARACTERS = 2 * 1024 * 1024
MOST_FIELDS = 50  # of one line
MOST_FAULTS = 1_000  # after which a file is not read on

Numbered = tuple[int, Prediction]
Record = tuple[int, dict[str, Any] | list[Fault]]  # of a line: its number, and its fields or what is wrong


def read_toml(path: Path) -> tuple[dict[str, Any], Lines, list[Fault]]:
    """The tables of a TOML file with the lines of its fields, or faults; at most 64 KiB."""
    text, faults = read_text(path, TOML_BYTES)
    if faults:
        return {}, Lines(), faults
    try:
        return *parse(text), []
    except ValueError as error:
        problem = f"cannot be read: {str(error)[:200]}"
        remedy = "write field = value lines, texts in quotes, as docs/submission.md shows"
        return {}, Lines(), [Fault(path.name, fault_line(error), "(toml)", problem, remedy)]


def read_predictions(path: Path, limit: int) -> tuple[list[Numbered], list[Fault]]:
    """All lines of a predictions file with their line numbers; at most `limit` lines are read."""
    text, faults = read_text(path)
    return ([], faults) if faults else collect(path.name, read_objects(path.name, text), limit)


def collect(file: str, records: Iterator[Record], limit: int) -> tuple[list[Numbered], list[Fault]]:
    """The sound ones of a file's records, with their lines, and the faults of the others."""
    lines: list[Numbered] = []
    faults: list[Fault] = []
    for count, (number, record) in enumerate(records):
        if count >= limit:
            faults.append(
                Fault(file, number, "(line)", f"more than {limit} lines", "give one line a question")
            )
            break
        if len(faults) >= MOST_FAULTS:
            problem = f"not read on after {MOST_FAULTS} faults"
            faults.append(Fault(file, number, "(line)", problem, "mend those first"))
            break
        found = _prediction(file, number, record) if isinstance(record, dict) else record
        if isinstance(found, Prediction):
            lines.append((number, found))
        else:
            faults.extend(found)
    return lines, faults


def read_objects(file: str, text: str, *, nan: bool = False) -> Iterator[Record]:
    """Each line that is not blank: its number, and its JSON object or the fault in it; `nan` lets NaN pass."""
    # Split at newlines alone: str.splitlines would also cut at characters that JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if stripped := line.strip("\r \t"):
            yield number, _parse_line(file, number, stripped, nan)


def read_text(path: Path, limit: int = JSONL_BYTES) -> tuple[str, list[Fault]]:
    """A plain file of at most `limit` bytes as UTF-8 (a byte-order mark is dropped), or the fault in it."""

    def fault(problem: str, remedy: str, line: int | None = None) -> tuple[str, list[Fault]]:
        return "", [Fault(path.name, line, "(file)", problem, remedy)]

    data = _read_bytes(path, limit + 1)
    if data is None:
        return fault("is not a plain file in the folder", f"put a real {path.name} there")
    if len(data) > limit:
        return fault(f"has more than {limit:,} bytes", "shorten it")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return fault("is UTF-16", "save it as UTF-8", 1)
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return fault(f"is not UTF-8 (byte {error.start})", "save it as UTF-8", line)


def _read_bytes(path: Path, limit: int) -> bytes | None:
    """Up to `limit` bytes; None unless it is a regular file (a link is not followed, a pipe not waited for)."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(limit) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def _parse_line(file: str, number: int, line: str, nan: bool) -> dict[str, Any] | list[Fault]:
    def fault(problem: str, remedy: str = "write one JSON object a line") -> list[Fault]:
        return [Fault(file, number, "(line)", problem, remedy)]

    if len(line) > LINE_CHARACTERS:
        return fault(f"is longer than {LINE_CHARACTERS:,} characters", "shorten raw_output")
    try:
        constant = float if nan else _no_constant
        record = json.loads(line, parse_constant=constant, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        return fault(f"is not JSON: {str(error)[:200]}")
    except RecursionError:
        return fault("is not JSON that can be read: nested too deep")
    if not isinstance(record, dict):
        return fault(f"is {shorten(record)}, not an object")
    return record


def _prediction(file: str, number: int, record: dict[str, Any]) -> Prediction | list[Fault]:
    """One record of a file as a `Prediction`, or its faults; `number` is its line."""
    if len(record) > MOST_FIELDS:
        remedy = "give the schema's fields alone"
        return [Fault(file, number, "(line)", f"has {len(record)} fields", remedy)]
    name = record.get("question_id")
    if isinstance(name, int) and not isinstance(name, bool) and abs(name) < 10**18:
        record["question_id"] = str(name)  # the real benchmark's ids are numbers
    try:
        return Prediction.model_validate(record)
    except ValidationError as error:
        return from_validation(error, file, lambda *path: number)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"field {shorten(twice)} is given twice")
    return record
