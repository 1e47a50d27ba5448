"""From an evaluation's output folder to its answers: samples of our tasks, or of any lmms-eval task.

Reads what lmms-eval writes with `--output_path … --log_samples` (`*_samples_TASK.jsonl`, `*_results.json`) and
the `record_*.json` that our own `lmms_eval` command adds. Only the samples are needed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hlvid.dataset import Question
from hlvid.dataset.text import squeeze
from hlvid.scoring.answers import parse_answer
from hlvid.scoring.samples import OWN, SAMPLES, find_samples, text_of
from leaderboard.benchmarks import AnswerKey, benchmark_of
from leaderboard.format.faults import Fault, shorten
from leaderboard.format.reading import Numbered, collect, read_objects, read_text

Row = Mapping[str, Any]
RECORD_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Run:
    """One samples file; `results` and `record` are lmms-eval's and our JSON beside it, empty where absent."""

    samples: Path
    task: str | None
    results: Mapping[str, Any]
    record: Mapping[str, Any]

    @property
    def benchmark(self) -> str | None:
        """The board's name of the task, where it is one of its benchmarks."""
        return None if self.task is None else benchmark_of(self.task)

    @property
    def limit(self) -> float | None:
        """lmms-eval's `--limit`: so many questions (a share of them below 1); None for all."""
        limit = mapping(self.results.get("config")).get("limit")
        return float(limit) if limit is not None and are_numbers([limit]) and limit > 0 else None

    @property
    def dataset(self) -> Mapping[str, Any]:
        """What our record says of the data: root, revision, prompts; empty for foreign runs."""
        return mapping(mapping(self.record.get("datasets")).get(str(self.task)))


def find_run(path: Path, task: str | None = None) -> Run:
    """The run in a folder (the newest, if one task was run again), or of a samples file (`hlvid eval`'s: its folder's).

    Raises:
        AnswerError: no samples there, or those of several tasks and none chosen; lists them.
    """
    found = find_samples(path, task, benchmark_of, "--benchmark")
    inner = found.parent / "lmms_eval"
    if found.name == OWN and inner.is_dir():
        found = find_samples(inner, task, benchmark_of, "--benchmark")
    return _run(found)


def read_samples(path: Path, key: AnswerKey | None, limit: int) -> tuple[list[Numbered], list[Fault]]:
    """A samples file's answers with line numbers, or every fault; at most `limit` lines are read.

    The question is named by `question_id`, else by `doc_id` as the place in the key. The prompt (`input`), which
    `doc_id` alone needs, has to ask that question, with the same options in the same order.
    """
    text, faults = read_text(path)
    if key is None or faults:
        return [], faults  # without a key, which question a line answers is unknown
    rows = read_objects(path.name, text, nan=True)  # lmms-eval writes NaN
    records = ((n, _record(path.name, n, row, key) if isinstance(row, dict) else row) for n, row in rows)
    return collect(path.name, records, limit)


def _record(file: str, number: int, row: Row, key: AnswerKey) -> dict[str, Any] | list[Fault]:
    question_id, fault = _question_id(file, number, row, key)
    if question_id is None:
        return fault
    if repeats := row.get("repeats"):
        problem = f"question {question_id} was asked {len(repeats)} times"
        return [Fault(file, number, "repeats", problem, "run again without --repeats")]
    raw = text_of(row)
    if not isinstance(raw, str):
        problem = f"no single text in raw_output, resps or filtered_resps: {shorten(raw)}"
        return [Fault(file, number, "resps", problem, "log one answer a question")]
    question = key.question(question_id)
    letter = parse_answer(raw, question.options if question else {}).letter
    record = {"question_id": question_id, "answer": letter, "raw_output": raw}
    return {**record, **_seen(mapping(row.get("details")))}


def _question_id(file: str, number: int, row: Row, key: AnswerKey) -> tuple[str | None, list[Fault]]:
    def fault(field: str, problem: str, remedy: str) -> tuple[None, list[Fault]]:
        return None, [Fault(file, number, field, problem, remedy)]

    asked = row.get("input", row.get("prompt"))  # lmms-eval's name, and that of `hlvid eval`
    name, place = row.get("question_id"), row.get("doc_id")
    if isinstance(name, str | int) and not isinstance(name, bool):
        question = key.question(str(name))
        if question is None or not isinstance(asked, str) or asks(asked, question):
            return str(name)[:300], []  # an unknown id is told where lines meet questions
        remedy = "it was asked in another wording or version: run again on the present one"
    elif isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(key.questions):
        question = key.questions[place]
        if isinstance(asked, str) and asks(asked, question):
            return question.id, []
        remedy = "doc_id counts in the key's order: give question_ids, or a table"
    else:
        last = len(key.questions) - 1
        return fault("doc_id", f"is {shorten(place)}", f"give 0 to {last}, or a question_id")
    return fault("input", f"does not ask question {question.id} with its options in order", remedy)


def asks(text: str, question: Question) -> bool:
    """Whether a prompt holds a question's text and then its options in order: letters mean the same there."""
    text, at = squeeze(text), 0
    for part in (question.stem, *question.options.values()):
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def _seen(details: Mapping[str, Any]) -> dict[str, Any]:
    """A prediction's optional fields; what is not as our models write it is left out."""
    found: dict[str, Any] = {}
    if are_numbers([details.get("frames")]):
        found["frames"] = details["frames"]
    pixels = details.get("pixels")
    if isinstance(pixels, list) and are_numbers(pixels) and len(pixels) == 2:
        found["height"], found["width"] = pixels
    if are_numbers([details.get("tokens_selected")]):
        found["tokens"] = details["tokens_selected"]
    if are_numbers(stages := list(mapping(details.get("seconds")).values())):
        found["seconds"] = round(sum(stages), 3)
    return found


def _run(samples: Path) -> Run:
    match = SAMPLES.fullmatch(samples.name)
    results_file = samples.with_name(f"{match['date']}_results.json" if match else "results.json")
    record = _json(results_file.with_name(f"record_{results_file.stem}.json"))
    if not record:  # of the versions up to 0.1: one file for all runs of a folder
        record = mapping(_json(samples.with_name("record.json")).get(results_file.name))
    return Run(samples, match and match["task"], _json(results_file), record)


def _json(path: Path) -> Mapping[str, Any]:
    """A JSON object, or an empty one: records are welcome but not needed."""
    text, _ = read_text(path, RECORD_BYTES)
    try:
        return mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def are_numbers(values: object) -> bool:
    """Whether this is a list of numbers with at least one."""
    if not isinstance(values, list) or not values:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
