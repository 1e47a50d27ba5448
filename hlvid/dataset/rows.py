"""Reads question files (parquet, jsonl, json, csv) into `Question`s and says exactly what is wrong with them.

Every fault is collected before the error is raised, so that a file is mended in one go. Rows count from 1, a
header not included.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from hlvid.dataset.files import Record, read_rows
from hlvid.dataset.options import as_shown, as_text, options_column
from hlvid.dataset.question import INSTRUCTION, Question, source_of
from hlvid.dataset.text import (
    Parts,
    same_but_for_space,
    split_question,
    squeeze,
    stray_label,
)
from hlvid.errors import DatasetError

REQUIRED = ("question_id", "category", "question", "answer", "video_path")
MAX_SHOWN = 20


Text = Annotated[str, BeforeValidator(as_text)]
OptionalText = Annotated[str | None, BeforeValidator(as_text)]
Shown = Annotated[str, BeforeValidator(as_shown)]
OptionalShown = Annotated[str | None, BeforeValidator(as_shown)]


class Row(BaseModel):
    """One row as written in a file; further columns are kept out of the way."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    question_id: Text
    category: Text
    question: Shown
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


def parse_files(root: Path, files: Sequence[Path], letters: str | None = None) -> list[Question]:
    """The questions of all `files` (shards of one set) in order; videos are expected under `root`/videos.

    `letters` are the options that each question must have, exactly; None: any two or more.
    """
    questions: list[Question] = []
    first_seen: dict[str, str] = {}
    for path in files:
        faults = Faults(str(path))
        records = read_rows(path)
        _check_columns(records, faults)
        faults.check()
        for record in records:
            question = _parse(record, root, faults, letters)
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
    empty = [record.where for record in records if as_text(record.values.get("answer")) is None]
    if len(empty) < len(records):
        for where in empty:
            faults.add(where, "answer", "empty, though other rows have one")


def _parse(record: Record, root: Path, faults: Faults, letters: str | None) -> Question | None:
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
    text, stem, options = _taken_apart(row, record, faults)
    if letters and len(options) >= 2 and "".join(options) != letters:
        expected = f"must be exactly {', '.join(letters)}, each at the start of a line as in 'A. …'"
        faults.add(record.where, "question", f"its options are {', '.join(options)}; they {expected}")
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
        text=text,
        stem=stem,
        options=options,
        answer=answer,
        tier=row.tier,
        video_path=_expected_path(root, video),
    )


def _taken_apart(row: Row, record: Record, faults: Faults) -> tuple[str, str, Mapping[str, str]]:
    """What is asked, word for word, and its stem and options: from columns if the options have any."""
    parts = split_question(row.question)
    text, stem, options, column = row.question, parts.stem, dict(parts.options), "question"
    try:
        own = options_column(record.values)
    except ValueError as error:
        faults.add(record.where, "options", str(error))
        own = {}
    if own is not None:
        column, options = "options", {letter: squeeze(shown) for letter, shown in own.items()}
        # The text may repeat the options; if it does not, its letters are part of the stem.
        if list(parts.options.values()) != list(options.values()):
            shown = [f"{letter}. {body}" for letter, body in own.items()]
            text, stem = "\n".join([row.question, *shown, INSTRUCTION]), squeeze(row.question)
    else:
        _check_split(row.question, parts, record, faults)
    if not stem:
        faults.add(record.where, "question", "no text before the options")
    if len(options) < 2 and (own is None or own):
        found = f"only {len(options)} option" if options else "no options"
        faults.add(record.where, column, f"{found} found; at least two are needed, as 'A. …' and 'B. …'")
    return text, stem, options


def _check_split(text: str, parts: Parts, record: Record, faults: Faults) -> None:
    """A text that was taken apart wrongly would be scored wrongly, without a word."""
    if not same_but_for_space(parts.joined(), text):
        shown = squeeze(parts.joined())
        what = f"taken apart it reads {shown!r}, which is another text"
        faults.add(record.where, "question", f"{what}; give the options in a column 'options'")
    elif stray := stray_label(text, parts):
        last = list(parts.options)[-1]
        what = f"option {last} holds the line {stray!r}, which looks like another option"
        faults.add(record.where, "question", f"{what}; write it as '{chr(ord(last) + 1)}. …'")


def _letter(answer: str, options: Mapping[str, str]) -> str | None:
    """The option meant by "B", "b", "(B)", "B." or "B. Hampden Ave", or by a text no other has."""
    match = re.fullmatch(r"\(?([A-Za-z])[).:]?(?:\s+(?P<text>.+))?", answer, re.DOTALL)
    if match and (letter := match[1].upper()) in options:
        text = match["text"]
        if text is None or squeeze(text) == options[letter]:
            return letter
    same = [letter for letter, text in options.items() if text == squeeze(answer)]
    return same[0] if len(same) == 1 else None


def _expected_path(root: Path, video: PurePosixPath) -> Path:
    """Where the file is, or, if it is nowhere, where it belongs."""
    places = [root / "videos" / video, root / video, root / "videos" / video.name]
    return next((place for place in places if place.is_file()), places[-1])
