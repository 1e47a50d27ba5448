"""Reads a parquet, jsonl, json or csv file into plain rows, each with the place it came from.

Column names are stripped of white space and of a byte order mark. Nothing is judged here but whether the file
can be read at all: its content is judged by `hlvid.dataset.rows`.
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hlvid.errors import DatasetError


@dataclass(frozen=True)
class Record:
    """One row of a file: `where` is for people ("row 3 (line 4)"), `values` as read."""

    where: str
    values: Mapping[str, Any]


def read_rows(path: Path) -> list[Record]:
    """All rows of `path`, the format taken from its suffix; raises DatasetError for a file that cannot be
    read.
    """
    readers = {".parquet": _parquet, ".jsonl": _jsonl, ".json": _json, ".csv": _csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"{path}: cannot read '{path.suffix}' files; give one of {', '.join(readers)}")
    try:
        records = reader(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from error
    if not records:
        raise DatasetError(f"{path}: holds no rows")
    return [Record(r.where, {_name(key): value for key, value in r.values.items()}) for r in records]


def _name(column: object) -> str:
    return str(column).strip().lstrip("\ufeff").strip()


def _parquet(path: Path) -> list[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        rows = pyarrow.parquet.read_table(path, partitioning=None).to_pylist()
    except pyarrow.ArrowException as error:
        raise DatasetError(f"{path}: not a readable parquet file: {error}") from error
    return [Record(f"row {number}", row) for number, row in enumerate(rows, 1)]


def _text(path: Path) -> str:
    """The file as text: UTF-8 with or without byte order mark, or UTF-16 with one."""
    data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DatasetError(
            f"{path}: line {line}: not valid {encoding[:6].upper()}; save it as UTF-8"
        ) from error


def _json(path: Path) -> list[Record]:
    try:
        content = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path}: line {error.lineno}: not valid JSON: {error.msg}") from error
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 else content
    if not isinstance(content, list):
        raise DatasetError(f"{path}: must hold a list of questions, or an object with one such list")
    wrong = [number for number, row in enumerate(content, 1) if not isinstance(row, dict)]
    if wrong:
        raise DatasetError(f"{path}: row {wrong[0]}: must be an object with the columns as keys")
    return [Record(f"row {number}", row) for number, row in enumerate(content, 1)]


def _jsonl(path: Path) -> list[Record]:
    records: list[Record] = []
    faults: list[str] = []
    # Not splitlines(): JSON text may hold the line separators U+2028 and U+0085 as they are.
    for line, text in enumerate(_text(path).split("\n"), 1):
        if not text.strip():
            continue
        where = f"row {len(records) + len(faults) + 1} (line {line})"
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            faults.append(f"{where}: not valid JSON: {error.msg} at column {error.colno}")
            continue
        if isinstance(row, dict):
            records.append(Record(where, row))
        else:
            faults.append(f"{where}: must be an object with the columns as keys")
    if faults:
        more = f" (and {len(faults) - 1} more such lines)" if len(faults) > 1 else ""
        raise DatasetError(f"{path}: {faults[0]}{more}")
    return records


def _csv(path: Path) -> list[Record]:
    text = _text(path)
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)  # spreadsheets of some countries write ';'
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[Record] = []
    try:
        for row in reader:
            where = f"row {len(records) + 1} (line {reader.line_num})"
            if None in row or None in row.values():
                columns = len(reader.fieldnames or ())
                raise DatasetError(
                    f"{path}: {where}: does not have the header's {columns} fields; quote commas"
                )
            records.append(Record(where, dict(row)))
    except csv.Error as error:
        raise DatasetError(f"{path}: line {reader.line_num}: not valid CSV: {error}") from error
    return records
