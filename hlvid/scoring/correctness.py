"""Right and wrong of several systems in one table, for comparisons of which no run is at hand.

The first file, a column of 1 and 0 for each system::

    question_id,full_correct,gazed_correct
    0,1,1

The second file says what cluster: question_id with source (or source_video, recording), and category, tier.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hlvid.errors import AnswerError

_SUFFIX = "_correct"
_SOURCES = ("source", "source_video", "recording")
_LABELS = ("category", "tier")
_VALUES = {"1": True, "true": True, "0": False, "false": False}


def is_correctness(path: Path) -> bool:
    """Whether it is such a table: .csv with question_id and a column that ends in _correct."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    return "question_id" in header and any(name.endswith(_SUFFIX) for name in header)


def read_correctness(path: Path, questions: Path | None = None) -> dict[str, list[dict[str, Any]]]:
    """Rows of each system, as for `compare`.

    Raises:
        AnswerError: file, line and field of what is no 0 or 1, an id twice, or a question that `questions` lacks.
    """
    asked = {} if questions is None else {row["question_id"]: row for _, row in _lines(questions)}
    found: dict[str, list[dict[str, Any]]] = {}
    for place, line in _lines(path):
        name = line["question_id"]
        about = asked.get(name, line)
        if questions is not None and name not in asked:
            raise AnswerError(
                f"{place}: question {name} is not in {questions}; give the file of these questions"
            )
        labels = {label: about.get(label) or None for label in _LABELS}
        source = next((about[key] for key in _SOURCES if about.get(key)), None)
        for column in (one for one in line if one.endswith(_SUFFIX)):
            value = _VALUES.get((line[column] or "").strip().lower())
            if value is None:
                raise AnswerError(f"{place}: field '{column}' is {line[column]!r}; allowed: 0, 1")
            row = {
                "question_id": name,
                "correct": value,
                "parsed": "+" if value else "-",
                "source": source,
                **labels,
            }
            found.setdefault(column.removesuffix(_SUFFIX), []).append(row)
    return found


def _lines(path: Path) -> list[tuple[str, Mapping[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines: list[tuple[str, Mapping[str, str]]] = [
                (f"{path}: line {number}", row) for number, row in enumerate(csv.DictReader(file), 2)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AnswerError(f"{path}: cannot be read as UTF-8 CSV ({error})") from error
    if not lines or "question_id" not in lines[0][1]:
        raise AnswerError(f"{path}: has no column question_id, or no lines; the first line names the columns")
    return lines
