"""The answers of a submission or a table as samples: with the questions of their answer key."""

from pathlib import Path

from hlvid.errors import AnswerError
from hlvid.scoring.answers import parse_answer
from hlvid.scoring.samples import Sample, read_lines
from leaderboard.benchmarks import Keys, benchmark_of
from leaderboard.format.faults import SubmissionError
from leaderboard.format.schema import Prediction
from leaderboard.format.validate import JSONL_NAME, TOML_NAME
from leaderboard.submit.drafts import make_draft

_OF_THE_SUBMISSION = ("model", "--name", "contact")  # what a comparison does not need


def is_submission(path: Path) -> bool:
    """A submission's folder, its predictions, or a table; not what lmms-eval or `hlvid eval` wrote."""
    if path.is_dir():
        return (path / TOML_NAME).is_file() and (path / JSONL_NAME).is_file()
    if path.suffix.lower() in (".csv", ".tsv"):
        return True
    if path.suffix.lower() != ".jsonl" or not path.is_file():
        return False
    return not {"doc_id", "correct"} & set(next(iter(read_lines(path).values())))


def submitted(path: Path, benchmark: str | None = None, keys: Keys | None = None) -> list[Sample]:
    """One sample for each question of the key, scored as submissions are.

    Raises:
        SubmissionError: faults of the answers, each with file, line and field.
        AnswerError: the benchmark is not known.
    """
    given = {"benchmark": benchmark_of(benchmark) or benchmark} if benchmark else {}
    draft = make_draft(path, given, keys=keys)
    faults = [one for one in draft.faults if not one.field.startswith(_OF_THE_SUBMISSION)]
    if faults:
        raise SubmissionError(tuple(faults))
    if draft.key is None or draft.matched is None:
        raise AnswerError(f"{path}: does not say which benchmark it answers; give --task")
    answers = {one.question_id: (number, one) for number, one in draft.lines}
    samples = []
    for question, row in zip(draft.key.questions, draft.matched.rows, strict=True):
        number, answer = answers.get(question.id) or (0, Prediction(question_id=question.id))  # left out
        raw = answer.raw_output if answer.raw_output is not None else answer.answer or ""
        samples.append(
            Sample(
                question_id=question.id,
                raw_output=raw,
                parsed=answer.answer,
                how=parse_answer(raw, question.options).how,
                correct=answer.answer is not None and answer.answer == question.answer,
                options=question.options,
                answer=question.answer,
                source=row["source"],
                category=row["category"],
                tier=row["tier"],
                task=draft.key.benchmark,
                place=f"{path}: line {number}",
            )
        )
    return samples
