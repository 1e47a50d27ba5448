"""`Sample`: one answered question, with what the model saw and what it took; reading and writing of whole runs.

Example::

    samples = read_samples(Path("results/blind/20261121_samples_hlvid_mini.jsonl"))
    summarize([sample.to_row() for sample in samples])
    read_samples(path, questions=load("hlvid"))      # any lmms-eval samples file; letters and scores made anew

lmms-eval writes one JSON line a question with everything that a task's `process_results` returns. Our tasks
return `Sample.to_row()`'s fields; other tasks' files hold the raw text (`filtered_resps`) and the number of the
question (`doc_id`), so they are scored against the questions given.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hlvid.dataset.question import Question
from hlvid.dataset.text import squeeze
from hlvid.errors import AnswerError
from hlvid.files import whole
from hlvid.scoring.answers import parse_answer

Row = Mapping[str, Any]
_TEXTS = ("question_id", "raw_output", "how", "video", "source", "category")


@dataclass(frozen=True)
class Sample:
    """What was asked, said and understood, and what it took.

    `parsed` is None for an unparseable answer, with the reason in `how`. `frames` is a count; `pixels` (height,
    width) of the frames as seen; `tokens` visual tokens that reached the model; `seconds` by stage. These are
    None or empty where a model does not record them. `details` keeps everything recorded, JSON values.
    """

    question_id: str
    raw_output: str
    parsed: str | None
    how: str
    correct: bool
    video: str
    source: str
    category: str
    tier: str | None = None
    frames: int | None = None
    pixels: tuple[int, int] | None = None
    tokens: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict, hash=False)
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_row(cls, row: Row, place: str = "sample") -> "Sample":
        """From a dict that our tasks' `process_results` returned.

        Raises:
            AnswerError: a missing field or one of the wrong kind; `place` opens the message.
        """
        texts: dict[str, Any] = {name: _text(row, name, place) for name in _TEXTS}
        details = row.get("details") or {}
        if not isinstance(details, Mapping):
            raise AnswerError(f"{place}: field 'details' is {details!r}; give a mapping")
        correct, parsed, tier = row.get("correct"), row.get("parsed"), row.get("tier")
        if not isinstance(correct, bool):
            raise AnswerError(f"{place}: field 'correct' is {correct!r}; allowed: true, false")
        if not (parsed is None or isinstance(parsed, str)) or not (tier is None or isinstance(tier, str)):
            raise AnswerError(
                f"{place}: fields 'parsed' and 'tier' are {parsed!r}, {tier!r}; give texts or null"
            )
        return cls(
            **texts, parsed=parsed, correct=correct, tier=tier, **_seen(details, place), details=details
        )

    @classmethod
    def score(
        cls, question: Question, raw_output: str, details: Row | None = None, place: str = ""
    ) -> "Sample":
        """From a model's text: the letter is read and compared with the question's answer.

        Raises:
            AnswerError: the question's answer is withheld.
        """
        place = f"{place}: question {question.id}" if place else f"question {question.id}"
        if question.answer is None:
            raise AnswerError(f"{place}: its answer is withheld; load a dataset with answers to score")
        parsed = parse_answer(raw_output, question.options)
        return cls(
            question_id=question.id,
            raw_output=raw_output,
            parsed=parsed.letter,
            how=parsed.how,
            correct=parsed.letter == question.answer,
            video=question.video,
            source=question.source,
            category=question.category,
            tier=question.tier,
            **_seen(details or {}, place),
            details=details or {},
        )

    def to_row(self) -> dict[str, Any]:
        """The fields of `process_results`, JSON values; what `from_row` reads."""
        names = (
            "question_id",
            "correct",
            "parsed",
            "source",
            "category",
            "tier",
            "video",
            "raw_output",
            "how",
        )
        return {**{name: getattr(self, name) for name in names}, "details": dict(self.details)}


def read_samples(path: Path, questions: Sequence[Question] | None = None) -> list[Sample]:
    """All samples of a jsonl file.

    Args:
        path: a file that lmms-eval wrote with `--log_samples`, or that `write_samples` wrote.
        questions: the questions asked, in the dataset's order. With them every letter is parsed and scored
            anew and any lmms-eval file works; without, the file must come from a task of ours.

    Raises:
        AnswerError: file, line and field of the first fault; an unknown, repeated or mismatched question.
    """
    rows = _lines(path)
    samples = [
        Sample.from_row(row, place) if questions is None else _rescored(row, questions, place)
        for place, row in rows.items()
    ]
    seen: dict[str, str] = {}
    for place, sample in zip(rows, samples, strict=True):
        if sample.question_id in seen:
            earlier = seen[sample.question_id].rsplit(": ", 1)[-1]
            raise AnswerError(
                f"{place}: question {sample.question_id} was answered on {earlier}; keep one of them"
            )
        seen[sample.question_id] = place
    return samples


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """One JSON line a sample, readable by `read_samples`; an existing file is replaced at once."""
    with whole(path) as fresh, fresh.open("w", encoding="utf-8") as file:
        for sample in samples:
            file.write(json.dumps(sample.to_row(), ensure_ascii=False, allow_nan=False) + "\n")


def _lines(path: Path) -> dict[str, Row]:
    """ "FILE: line N" -> row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnswerError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    rows: dict[str, Row] = {}
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: raw outputs may hold U+2028
        if not line.strip():
            continue
        place = f"{path}: line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise AnswerError(
                f"{place}: is not JSON ({error}); an interrupted run leaves such a line"
            ) from error
        if not isinstance(row, dict):
            raise AnswerError(f"{place}: is {type(row).__name__}; each line has to be an object {{…}}")
        rows[place] = row
    if not rows:
        raise AnswerError(f"{path}: holds no samples; run lmms_eval with --log_samples")
    return rows


def _rescored(row: Row, questions: Sequence[Question], place: str) -> Sample:
    question = _question(row, questions, place)
    target = row.get("target")
    if isinstance(target, str) and target in question.options and question.answer not in (None, target):
        raise AnswerError(
            f"{place}: field 'target' is {target} but question {question.id}'s answer is {question.answer}; "
            "these are samples of another dataset or version"
        )
    details = row.get("details")
    return Sample.score(question, _raw(row, place), details if isinstance(details, Mapping) else None, place)


def _question(row: Row, questions: Sequence[Question], place: str) -> Question:
    """By question_id, else by doc_id as the place in the dataset."""
    if row.get("question_id") is not None:
        wanted = str(row["question_id"])
        found = next((question for question in questions if question.id == wanted), None)
        if found is None:
            raise AnswerError(f"{place}: field 'question_id' is {wanted}, which the dataset does not have")
        return found
    number = row.get("doc_id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(questions):
        raise AnswerError(
            f"{place}: field 'doc_id' is {number!r}; allowed: 0 to {len(questions) - 1}, or give a question_id"
        )
    question = questions[number]
    asked = row.get("input")
    if isinstance(asked, str) and asked and question.stem not in squeeze(asked):
        raise AnswerError(
            f"{place}: field 'input' does not hold question {question.id}'s text; wrong dataset"
        )
    return question


def _raw(row: Row, place: str) -> str:
    """The model's text: ours in raw_output; lmms-eval's in resps (unfiltered) or filtered_resps, nested."""
    value = next(
        (row[name] for name in ("raw_output", "resps", "filtered_resps") if row.get(name) is not None), None
    )
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise AnswerError(
            f"{place}: no single text in raw_output, resps or filtered_resps; found {value!r:.80}"
        )
    return value


def _seen(details: Row, place: str) -> dict[str, Any]:
    """The typed fields out of what a model recorded."""
    pixels, seconds = details.get("pixels"), details.get("seconds") or {}
    try:
        return {
            "frames": None if details.get("frames") is None else int(details["frames"]),
            "pixels": None if pixels is None else (int(pixels[0]), int(pixels[1])),
            "tokens": None if details.get("tokens_selected") is None else int(details["tokens_selected"]),
            "seconds": {str(stage): float(value) for stage, value in seconds.items()},
        }
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise AnswerError(
            f"{place}: field 'details' needs frames (count), pixels [height, width], tokens_selected (count) and "
            f"seconds {{stage: seconds}} where they are given ({error})"
        ) from error


def _text(row: Row, name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise AnswerError(
            f"{place}: field '{name}' is {value!r}; give a text (or `questions`, to score it anew)"
        )
    return value
