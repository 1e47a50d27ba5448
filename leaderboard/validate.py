"""Is a submission whole and sound? Every fault at once, and the rows to score when there is none.

Example::

    report = check_folder(Path("my-run"), questions=load("hlvid"))
    report.raise_for_faults()
    summary = report.summary()

The letter that counts is read from `raw_output` by hlvid's own parser where that text is given, else from
`answer`; where both are given and disagree, a warning says so and the text wins: all rows are parsed alike.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hlvid.dataset import Question
from hlvid.scoring.accuracy import Summary, summarize
from hlvid.scoring.answers import parse_answer
from leaderboard.faults import Fault, SubmissionError, from_validation, shorten
from leaderboard.reading import Numbered, read_predictions, read_yaml
from leaderboard.schema import Prediction, Submission

YAML_NAME = "submission.yaml"
JSONL_NAME = "predictions.jsonl"
ALLOWED = {YAML_NAME, JSONL_NAME, "README.md"}
FOLDER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
MOST_LINES = 10  # times the questions: past that a file is not worth reading on

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """What a check found. `rows` (for `hlvid.scoring.summarize`) are complete when `faults` is empty."""

    folder: Path
    submission: Submission | None
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...] = ()

    def raise_for_faults(self) -> None:
        """Raise `SubmissionError` with all faults, if there are any."""
        if self.faults:
            raise SubmissionError(self.faults)

    def summary(self) -> Summary:
        """The recomputed score; only for a submission without faults and with predictions."""
        self.raise_for_faults()
        return summarize(self.rows)


def check_folder(folder: Path, questions: Sequence[Question]) -> Report:
    """Check a submission folder against the benchmark's questions; never raises on bad content."""
    faults = _check_files(folder)
    submission, yaml_faults = read_submission(folder)
    faults += yaml_faults
    rows: list[Row] = []
    warnings: list[str] = []
    if submission is not None and submission.reported is None:
        lines, line_faults = read_predictions(folder / JSONL_NAME, limit=MOST_LINES * max(len(questions), 1))
        faults += line_faults
        rows, warnings, match_faults = match(lines, questions)
        faults += match_faults
    elif submission is not None and (folder / JSONL_NAME).exists():
        problem = "a reported number has no predictions"
        faults.append(Fault(YAML_NAME, None, "reported", problem, f"remove 'reported' or {JSONL_NAME}"))
    return Report(folder, submission, tuple(rows), tuple(faults), tuple(warnings))


def read_submission(folder: Path) -> tuple[Submission | None, list[Fault]]:
    """`submission.yaml` as a `Submission`, or its faults."""
    data, faults = read_yaml(folder / YAML_NAME)
    if faults:
        return None, faults
    try:
        return Submission.model_validate(data), []
    except ValidationError as error:
        return None, from_validation(error, YAML_NAME, None)


def match(
    lines: Sequence[Numbered], questions: Sequence[Question]
) -> tuple[list[Row], list[str], list[Fault]]:
    """Pair predictions with questions: rows to score in question order, warnings, faults."""
    known = {question.id: question for question in questions}
    first: dict[str, tuple[int, Prediction]] = {}
    faults: list[Fault] = []
    for number, prediction in lines:
        name = prediction.question_id
        if name not in known:
            problem = f"{shorten(name)} is not a question of this benchmark"
            faults.append(
                Fault(JSONL_NAME, number, "question_id", problem, "remove the line or correct the id")
            )
        elif name in first:
            problem = f"{shorten(name)} is answered again (first on line {first[name][0]})"
            faults.append(Fault(JSONL_NAME, number, "question_id", problem, "keep one line a question"))
        else:
            first[name] = (number, prediction)
    rows: list[Row] = []
    warnings: list[str] = []
    for question in questions:
        row, warning, row_faults = _score(question, first.get(question.id))
        rows.append(row)
        warnings += warning
        faults += row_faults
    return rows, warnings, faults


def _score(question: Question, found: tuple[int, Prediction] | None) -> tuple[Row, list[str], list[Fault]]:
    letter: str | None = None
    warnings: list[str] = []
    faults: list[Fault] = []
    if found is None:
        remedy = 'add a line; "answer": null where the model gave none'
        faults.append(Fault(JSONL_NAME, None, "question_id", f"{question.id!r} has no line", remedy))
    else:
        number, prediction = found
        letter, faults = _answer(question, number, prediction)
        if prediction.raw_output is not None:
            parsed = parse_answer(prediction.raw_output, question.options).letter
            if prediction.answer is not None and parsed != letter:
                warnings.append(
                    f"line {number}: question {question.id}: answer {letter} but raw_output reads {parsed}; "
                    "raw_output counts"
                )
            letter = parsed
    row = {
        "question_id": question.id,
        "parsed": letter,
        "correct": letter is not None and letter == question.answer,
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
    }
    return row, warnings, faults


def _answer(question: Question, number: int, prediction: Prediction) -> tuple[str | None, list[Fault]]:
    if prediction.answer is None:
        return None, []
    letter = prediction.answer.strip().upper()
    if letter == "":
        return None, []
    if letter in question.options:
        return letter, []
    allowed = ", ".join(question.options)
    problem = f"{shorten(prediction.answer)} is not an option of question {question.id}"
    return None, [Fault(JSONL_NAME, number, "answer", problem, f"give one of {allowed}, or null")]


def _check_files(folder: Path) -> list[Fault]:
    """The folder holds plain files of known names only: no links, no folders, nothing hidden."""
    if folder.is_symlink() or not folder.is_dir():
        return [Fault(folder.name, None, "(folder)", "is not a folder", "give the folder of one submission")]
    faults = []
    if not FOLDER_NAME.fullmatch(folder.resolve().name):
        remedy = "use a-z, 0-9, '.', '_' and '-', at most 80, beginning with a letter or digit"
        faults.append(Fault(shorten(folder.name), None, "(folder)", "has a name that is not allowed", remedy))
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name)[:100]:
        if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
            faults.append(Fault(shorten(entry.name), None, "(file)", "is not a plain file", "remove it"))
        elif entry.name not in ALLOWED:
            remedy = f"a submission holds {', '.join(sorted(ALLOWED))} alone"
            faults.append(Fault(shorten(entry.name), None, "(file)", "does not belong here", remedy))
    return faults
