"""A bare table of answers as predictions: `question_id,answer` in CSV, or one JSON object a line.

The first row names the columns, which are those of `predictions.jsonl`; commas, semicolons and tabs separate.
Line numbers are the file's own.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leaderboard.format.faults import Fault, shorten
from leaderboard.format.reading import MOST_FAULTS, Numbered, Record, collect, read_text
from leaderboard.format.schema import Prediction

COLUMNS = tuple(Prediction.model_fields)
NUMBERS = ("frames", "width", "height", "tokens", "seconds")


def read_table(path: Path, limit: int) -> tuple[list[Numbered], list[Fault]]:
    """All rows of a CSV file with their line numbers, or every fault; at most `limit` rows are read."""
    text, faults = read_text(path)
    if not faults and not text.strip():
        remedy = "write 'question_id,answer' and below it one row a question"
        faults = [Fault(path.name, None, "(file)", "is empty", remedy)]
    return ([], faults) if faults else collect(path.name, _records(path.name, text), limit)


def _records(file: str, text: str) -> Iterator[Record]:
    header = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    try:
        columns = [name.strip().casefold() for name in next(reader, [])]
        if wrong := _header_faults(file, columns):
            yield 1, wrong
            return
        for number, row in _rows(reader):
            if len(row) == len(columns):
                cells = {name: _cell(name, text) for name, text in zip(columns, row, strict=True)}
                yield number, {name: value for name, value in cells.items() if value is not None}
            else:
                problem = f"has {len(row)} fields, the header {len(columns)}"
                yield number, [Fault(file, number, "(line)", problem, "quote texts that hold the separator")]
    except csv.Error as error:
        number, remedy = reader.line_num, "quote texts with commas or newlines"
        yield number, [Fault(file, number, "(line)", f"is not valid CSV: {error}", remedy)]


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it begins on."""
    begin = reader.line_num + 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield begin, row
        begin = reader.line_num + 1


def _header_faults(file: str, columns: list[str]) -> list[Fault]:
    def fault(field: str, problem: str, remedy: str) -> Fault:
        return Fault(file, 1, field, problem, remedy)

    allowed = f"the first row names the columns, of {', '.join(COLUMNS)}"
    found = [] if "question_id" in columns else [fault("question_id", "is no column of this table", allowed)]
    if set(columns) & set(COLUMNS):  # else it has no header, and its first answers would be named here
        other = [one for one in columns if one not in COLUMNS]
        found += [fault(shorten(one), "is not a column of the schema", allowed) for one in other]
    twice = [one for one, count in Counter(columns).items() if count > 1]
    found += [fault(shorten(one), "is the name of two columns", "remove one") for one in twice]
    if "answer" not in columns and "raw_output" not in columns:
        found.append(fault("answer", "is no column of this table", "add it, or raw_output"))
    return found[:MOST_FAULTS]


def _cell(name: str, text: str) -> object:
    """A cell's value: None if blank, a number where the column holds numbers; other texts as they are."""
    if name == "raw_output":
        return text  # blank is an output too
    stripped = text.strip()
    if not stripped:
        return None
    if name in NUMBERS:
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            return stripped  # the schema says what is wrong with it
    return stripped
