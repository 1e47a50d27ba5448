"""Reads question files (parquet, jsonl, json, csv) into `Question`s and says exactly what is wrong with them.

Example::

    parse_files(Path("my_set"), [Path("my_set/questions.csv")])
    # DatasetError: questions.csv: row 3 (line 4): answer: 'F' is none of the options A, B, C, D

Every fault is collected before the error is raised, so that a file is mended in one go. Rows count from 1, a
header not included.
"""

import difflib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from hlvid.dataset.files import Record, read_rows
from hlvid.dataset.question import Question, source_of
from hlvid.dataset.text import LETTERS, split_question
from hlvid.errors import DatasetError

REQUIRED = ("question_id", "category", "question", "answer", "video_path")
MAX_SHOWN = 20


def _as_text(value: object) -> object:
    """Numbers become text ("17", never "17.0"); empty text and NaN become None, as every reader spells
    "nothing".
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        value = int(value) if value.is_integer() else value
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return value.strip() or None
    return value


Text = Annotated[str, BeforeValidator(_as_text)]
OptionalText = Annotated[str | None, BeforeValidator(_as_text)]


class Row(BaseModel):
    """One row as written in a file; further columns are kept out of the way."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    question_id: Text
    category: Text
    question: Text
    answer: OptionalText
    video_path: Text
    tier: OptionalText = None
    source: OptionalText = None


@dataclass
class Faults:
    """What is wrong with one file, as "row 3 (line 4): field: what"."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, where: str, column: str, what: str) -> None:
        """Note one fault."""
        self.found.append(f"{where}: {column}: {what}")

    def check(self) -> None:
        """Raise DatasetError if there is any fault: one line for one fault, else a list of the first 20."""
        if not self.found:
            return
        if len(self.found) == 1:
            raise DatasetError(f"{self.file}: {self.found[0]}")
        lines = [f"{self.file}: {len(self.found)} faults", *self.found[:MAX_SHOWN]]
        if len(self.found) > MAX_SHOWN:
            lines.append(f"… and {len(self.found) - MAX_SHOWN} more")
        raise DatasetError("\n  ".join(lines))


def parse_files(root: Path, files: Sequence[Path]) -> list[Question]:
    """The questions of all `files` (shards of one set) in order; videos are expected under `root`/videos."""
    questions: list[Question] = []
    first_seen: dict[str, str] = {}
    for path in files:
        faults = Faults(str(path))
        records = read_rows(path)
        _check_columns(records, faults)
        faults.check()
        for record in records:
            question = _parse(record, root, faults)
            if question is None:
                continue
            if question.id in first_seen:
                faults.add(
                    record.where, "question_id", f"'{question.id}' again; first in {first_seen[question.id]}"
                )
            first_seen.setdefault(
                question.id, f"{record.where} of {path.name}" if len(files) > 1 else record.where
            )
            questions.append(question)
        _check_answers(records, faults)
        faults.check()
    return questions


def _check_columns(records: Sequence[Record], faults: Faults) -> None:
    """Every required column must be there, under its own name, in some row at least."""
    names = list(dict.fromkeys(name for record in records for name in record.values))
    for column in REQUIRED:
        if column not in names:
            close = difflib.get_close_matches(column, names, n=1, cutoff=0.5)
            hint = f"; rename '{close[0]}'?" if close else ""
            faults.add("header", column, f"no such column among {', '.join(names)}{hint}")


def _check_answers(records: Sequence[Record], faults: Faults) -> None:
    """Answers may be withheld as a whole, but a few empty ones among others are slips."""
    empty = [record.where for record in records if _as_text(record.values.get("answer")) is None]
    if len(empty) < len(records):
        for where in empty:
            faults.add(where, "answer", "empty, though other rows have one")


def _parse(record: Record, root: Path, faults: Faults) -> Question | None:
    """The question of one row, or None with its faults noted."""
    before = len(faults.found)
    try:
        row = Row.model_validate(record.values)
    except ValidationError as error:
        for item in error.errors():
            given = item["input"]
            what = (
                "empty"
                if given is None or item["type"] == "missing"
                else f"{given!r} is not text or a number"
            )
            faults.add(record.where, str(item["loc"][0]), what)
        return None
    stem, options = _stem_and_options(row, record, faults)
    answer = None if row.answer is None else _letter(row.answer, options)
    if row.answer is not None and answer is None and len(options) >= 2:
        faults.add(record.where, "answer", f"{row.answer!r} is none of the options {', '.join(options)}")
    video = PurePosixPath(row.video_path.replace("\\", "/"))
    if ".." in video.parts or not video.name:
        faults.add(record.where, "video_path", f"{row.video_path!r} must name a file under videos/")
    if len(faults.found) > before:
        return None
    return Question(
        id=row.question_id,
        video=video.name,
        source=row.source or source_of(video.name),
        category=row.category,
        stem=stem,
        options=options,
        answer=answer,
        tier=row.tier,
        video_path=_expected_path(root, video),
    )


def _stem_and_options(row: Row, record: Record, faults: Faults) -> tuple[str, Mapping[str, str]]:
    """From the columns if the options have any, else out of the question's text."""
    parts = split_question(row.question)
    stem, options, column = parts.stem, parts.options, "question"
    own = _options_column(record, faults)
    if own is not None:
        column = "options"
        # The text may repeat the options; if it does not, its letters are part of the stem.
        same = list(parts.options.values()) == list(own.values())
        stem, options = (parts.stem if same or not parts.options else " ".join(row.question.split())), own
    if not stem:
        faults.add(record.where, "question", "no text before the options")
    if len(options) < 2 and (own is None or own):
        found = f"only {len(options)} option" if options else "no options"
        faults.add(record.where, column, f"{found} found; at least two are needed, as 'A. …' and 'B. …'")
    return stem, options


def _options_column(record: Record, faults: Faults) -> dict[str, str] | None:
    """Options given apart from the question: column `options`, or columns A, B, …; None where there are
    neither.
    """
    value = record.values.get("options")
    if value is None or value == "":
        letters = [(name, _as_text(record.values[name])) for name in LETTERS if name in record.values]
        given = {name: " ".join(text.split()) for name, text in letters if isinstance(text, str)}
        return given or None
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        faults.add(record.where, "options", f"{value!r} is not a JSON list or object")
        return {}
    pairs = _labelled(value)
    if not pairs or not all(isinstance(_as_text(text), str) for _, text in pairs):
        faults.add(
            record.where, "options", f"{value!r} is not a list of texts or a mapping of letters to texts"
        )
        return {}
    return {letter: " ".join(str(_as_text(text)).split()) for letter, text in pairs}


def _labelled(value: object) -> list[tuple[str, object]]:
    """(letter, text) pairs of a list or mapping; nothing where it is neither or its keys are not A, B, …"""
    if isinstance(value, Mapping):  # parquet stores {"A": …, "E": None} where only some rows have an E
        pairs = [(str(key).strip().upper(), text) for key, text in value.items() if text is not None]
        return pairs if [letter for letter, _ in pairs] == list(LETTERS[: len(pairs)]) else []
    if not isinstance(value, list | tuple) or len(value) > len(LETTERS):
        return []
    texts = [_unlabelled(letter, text) for letter, text in zip(LETTERS, value, strict=False)]
    labelled = all(text != given for text, given in zip(texts, value, strict=True))
    return list(zip(LETTERS, texts if labelled else value, strict=False))


def _unlabelled(letter: str, text: object) -> object:
    """ "B. Hampden Ave" in second place of a list -> "Hampden Ave"."""
    if not isinstance(text, str):
        return text
    return re.sub(rf"^\s*(?:\({letter}\)|{letter}[.):])\s*(?=\S)", "", text)


def _letter(answer: str, options: Mapping[str, str]) -> str | None:
    """The option meant by "B", "b", "(B)", "B." or "B. Hampden Ave", or by a text no other has."""
    match = re.fullmatch(r"\(?([A-Za-z])[).:]?(?:\s+(?P<text>.+))?", answer, re.DOTALL)
    if match and (letter := match[1].upper()) in options:
        text = match["text"]
        if text is None or " ".join(text.split()) == options[letter]:
            return letter
    same = [letter for letter, text in options.items() if text == " ".join(answer.split())]
    return same[0] if len(same) == 1 else None


def _expected_path(root: Path, video: PurePosixPath) -> Path:
    """Where the file is, or, if it is nowhere, where it belongs."""
    places = [root / "videos" / video, root / video, root / "videos" / video.name]
    return next((place for place in places if place.is_file()), places[-1])
