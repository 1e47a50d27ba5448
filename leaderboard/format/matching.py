"""Answers paired with the questions they belong to, and scored: every question once, and nothing else.

The letter that counts is read from `raw_output` by hlvid's own parser where that text is given, else from
`answer`; where both are given and disagree, a warning says so and the text wins: all rows are parsed alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hlvid.dataset import Question
from hlvid.scoring.accuracy import Row
from hlvid.scoring.answers import parse_answer
from leaderboard.format.faults import Fault, shorten
from leaderboard.format.reading import Numbered
from leaderboard.format.schema import Prediction

NAMED = 20  # missing questions


@dataclass(frozen=True)
class Matched:
    """Predictions paired with questions: rows in question order, warnings, faults."""

    rows: tuple[Row, ...]
    warnings: tuple[str, ...]
    faults: tuple[Fault, ...]


def match(
    lines: Sequence[Numbered],
    questions: Sequence[Question],
    file: str,
    limit: float | None = None,
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> Matched:
    """Pair predictions with questions; each question has to be answered once, and nothing else.

    `limit` is the `--limit` of the run that the lines are from: then that is why questions are missing. `left_out`
    are the questions that the submission says were not asked: they have no line, and count as wrong.
    """
    known = {question.id: question for question in questions}
    first: dict[str, tuple[int, Prediction]] = {}
    faults: list[Fault] = []
    for number, prediction in lines:
        name = prediction.question_id
        if name not in known:
            problem = f"{shorten(name)} is not a question of this benchmark"
            remedy = "remove the line or correct the id"
            faults.append(Fault(file, number, "question_id", problem, remedy))
        elif name in first:
            problem = f"{shorten(name)} is answered again (first on line {first[name][0]})"
            faults.append(Fault(file, number, "question_id", problem, "keep one line a question"))
        else:
            first[name] = (number, prediction)
    scored = [
        _score(question, first[question.id], file) if question.id in first else (_row(question, None), [], [])
        for question in questions
        if question.id in first or question.id in left_out
    ]
    faults += _said_wrongly(left_out, known, first)
    missing = [name for name in known if name not in first and name not in left_out]
    return Matched(
        tuple(row for row, _, _ in scored),
        tuple(warning for _, warnings, _ in scored for warning in warnings),
        (*faults, *(fault for _, _, found in scored for fault in found), *_missing(missing, file, limit)),
    )


def with_matched(line_faults: Sequence[Fault], matched: Matched) -> list[Fault]:
    """All faults of a file by line: where lines could not be read, their questions are not reported missing too."""
    found = [*line_faults, *(one for one in matched.faults if not (line_faults and one.line is None))]
    return sorted(found, key=lambda one: (one.line is None, one.line or 0))


def _said_wrongly(
    left_out: Mapping[str, str], known: Collection[str], answered: Collection[str]
) -> list[Fault]:
    """What is said to be left out is a question, and has no line."""
    problems = [
        (name, "is not a question of this benchmark" if name not in known else "has a line, too")
        for name in left_out
        if name not in known or name in answered
    ]
    remedy = "name the questions without a line, and no other"
    return [
        Fault("submission.toml", None, "left_out", f"{shorten(name)} {what}", remedy)
        for name, what in problems
    ]


def _missing(names: Sequence[str], file: str, limit: float | None) -> list[Fault]:
    """One fault for all questions without a line."""
    if not names:
        return []
    if limit is not None:
        problem = f"{len(names)} question(s) have no answer: the run was made with --limit {limit:g}"
        return [Fault(file, None, "question_id", problem, "run it without --limit: all questions count")]
    shown = ", ".join(shorten(name, 30) for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    remedy = 'add a line for each; "answer": null where the model gave none; what was not asked is named in left_out'
    return [Fault(file, None, "question_id", f"{len(names)} question(s) have no line: {shown}{more}", remedy)]


def _score(
    question: Question, found: tuple[int, Prediction], file: str
) -> tuple[Row, list[str], list[Fault]]:
    number, prediction = found
    letter, faults = _answer(question, number, prediction, file)
    warnings: list[str] = []
    if prediction.raw_output is not None:
        parsed = parse_answer(prediction.raw_output, question.options).letter
        if prediction.answer is not None and parsed != letter:
            warnings.append(
                f"line {number}: question {question.id}: answer {letter} but raw_output reads {parsed}; "
                "raw_output counts"
            )
        letter = parsed
    return _row(question, letter), warnings, faults


def _row(question: Question, letter: str | None) -> Row:
    return {
        "question_id": question.id,
        "parsed": letter,
        "correct": letter is not None and letter == question.answer,
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
    }


def _answer(
    question: Question, number: int, prediction: Prediction, file: str
) -> tuple[str | None, list[Fault]]:
    if prediction.answer is None:
        return None, []
    letter = prediction.answer.strip().upper()
    if letter == "":
        return None, []
    if letter in question.options:
        return letter, []
    allowed = ", ".join(question.options)
    problem = f"{shorten(prediction.answer)} is not an option of question {question.id}"
    return None, [Fault(file, number, "answer", problem, f"give one of {allowed}, or null")]
