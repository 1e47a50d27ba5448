"""A submission in the making: what a source holds, joined with what the submitter states, and all its faults.

Sources: an output folder of lmms-eval, a samples file, a table (`.csv`, `.tsv`), lines as in `predictions.jsonl`,
or a submission folder that is to be checked once more. Faults name the line of the source.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hlvid.errors import AnswerError
from leaderboard.benchmarks import TITLES, AnswerKey, Keys
from leaderboard.format.faults import Fault, SubmissionError, from_validation, shorten
from leaderboard.format.matching import Matched, match, with_matched
from leaderboard.format.reading import Numbered, read_objects, read_predictions, read_text, read_toml
from leaderboard.format.schema import Cost, Submission
from leaderboard.format.toml_text import Lines, dump
from leaderboard.format.validate import (
    FOLDER_NAME,
    FOLDER_RULE,
    FORMER,
    FORMER_REMEDY,
    JSONL_NAME,
    TOML_NAME,
    find_key,
    line_limit,
)
from leaderboard.submit.public import private, texts_of
from leaderboard.submit.run_fields import run_fields
from leaderboard.submit.runs import Run, find_run, mapping, read_samples
from leaderboard.submit.tables import read_table

Fields = Mapping[str, Any]
Reader = Callable[[AnswerKey | None], tuple[list[Numbered], list[Fault]]]
OPTIONS = {
    "benchmark": f"--benchmark, one of {', '.join(TITLES)}",
    "model": "--model and --openness",
    "model.name": "--model",
    "model.openness": "--openness open_source, open_weights or closed",
}


@dataclass(frozen=True)
class Draft:
    """What will become a folder. `matched` and `key` are None where no answer key could be found."""

    name: str
    submission: Submission | None
    lines: tuple[Numbered, ...]
    key: AnswerKey | None
    matched: Matched | None
    faults: tuple[Fault, ...]

    def raise_for_faults(self) -> None:
        """Raise `SubmissionError` with all faults, if there are any."""
        if self.faults:
            raise SubmissionError(self.faults)


def make_draft(
    source: Path, given: Fields | None = None, name: str | None = None, keys: Keys | None = None
) -> Draft:
    """Read a source and check everything about it.

    Args:
        source: see the module.
        given: fields of submission.toml, nested as there; they win over what the source's records say.
        name: of the folder; by default from model, resolution and ratio.
        keys: answer keys; by default from this machine's data folder.

    Raises:
        AnswerError: the source is nothing of the kind.
    """
    known, read, run = _open(source, given or {})
    fields = _merged(known, given or {})
    submission, faults = _submission(fields)
    if name is not None and not FOLDER_NAME.fullmatch(name):
        faults.append(Fault("--name", None, "(folder)", f"{shorten(name)} is not allowed", FOLDER_RULE))
    key: AnswerKey | None = None
    matched: Matched | None = None
    key, key_faults = find_key(fields, keys or Keys(), Lines())
    faults += key_faults
    lines, line_faults = read(key)
    if key is None:
        faults += line_faults
    else:
        left_out = _left_out(run, key, lines) or (submission.left_out if submission is not None else {})
        faults += _other_questions(run, key, left_out)
        file = source.name if source.is_file() else _file_of(run)
        matched = match(lines, key.questions, file, run.limit if run is not None else None, left_out)
        faults += with_matched(line_faults, matched)
        if submission is not None:
            found = {
                "dataset_revision": key.revision,
                "cost": _with_means(submission.cost, lines),
                "left_out": left_out,
            }
            submission = submission.model_copy(update=found)
        faults += _private(submission, lines, file)  # with what the records add
    name = name or (slug(submission) if submission else "")
    return Draft(name, submission, tuple(lines), key, matched, tuple(faults))


def write_folder(draft: Draft, out: Path) -> Path:
    """Write a draft without faults to `out`/BENCHMARK/NAME, replacing its two files there."""
    draft.raise_for_faults()
    assert draft.submission is not None
    folder = out / draft.submission.benchmark / draft.name
    folder.mkdir(parents=True, exist_ok=True)
    fields = draft.submission.model_dump(mode="json", exclude_defaults=True)
    (folder / TOML_NAME).write_text(dump({"schema_version": 1, **fields}), encoding="utf-8")
    records = [{"answer": None, **one.model_dump(mode="json", exclude_none=True)} for _, one in draft.lines]
    ordered = [{"question_id": record.pop("question_id"), **record} for record in records]
    text = "".join(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in ordered)
    (folder / JSONL_NAME).write_text(text, encoding="utf-8", newline="\n")
    return folder


def slug(submission: Submission) -> str:
    """A folder name: "gaze_reader-896px-r0.10"; of [a-z0-9._-], at most 80 characters."""
    settings = submission.settings
    parts = [submission.model.name.rpartition("/")[2]]
    parts += [f"{settings.resolution}px"] if settings.resolution else []
    parts += [f"r{settings.gazing_ratio:.2f}"] if settings.gazing_ratio else []
    plain = re.sub(r"[^a-z0-9._-]+", "-", "-".join(parts).lower().encode("ascii", "ignore").decode())
    return plain.strip("._-")[:80].rstrip("._-") or "submission"


def _open(source: Path, given: Fields) -> tuple[dict[str, Any], Reader, Run | None]:
    """What the source itself states, how to read its answers, and the run it is, if it is one."""
    if source.is_dir() and (source / TOML_NAME).exists():
        data, _, faults = read_toml(source / TOML_NAME)
        if faults:
            raise SubmissionError(faults)
        return data, lambda key: read_predictions(source / JSONL_NAME, line_limit(key)), None
    if source.is_dir() and (source / FORMER).exists():
        raise SubmissionError([Fault(FORMER, None, "(file)", "is no longer read", FORMER_REMEDY)])
    if source.is_dir() or (source.is_file() and _is_samples(source)):
        run = find_run(source, given.get("benchmark"))
        return run_fields(run), lambda key: read_samples(run.samples, key, line_limit(key)), run
    if not source.is_file():
        raise AnswerError(f"{source}: no such file or folder")
    if source.suffix.lower() in (".csv", ".tsv", ".txt"):
        return {}, lambda key: read_table(source, line_limit(key)), None
    if source.suffix.lower() == ".jsonl":
        return {}, lambda key: read_predictions(source, line_limit(key)), None
    raise AnswerError(f"{source}: not a run folder, samples or predictions (.jsonl), or table (.csv, .tsv)")


def _is_samples(path: Path) -> bool:
    """Whether lmms-eval wrote it, whose lines have a `doc_id`, or `hlvid eval`, whose lines say what is `correct`."""
    if path.suffix.lower() != ".jsonl":
        return False
    text, _ = read_text(path)
    first = next((row for _, row in read_objects(path.name, text, nan=True) if isinstance(row, dict)), {})
    return bool({"doc_id", "correct"} & set(first))


def _merged(known: Fields, given: Fields) -> dict[str, Any]:
    merged = dict(known)
    for name, value in given.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _submission(fields: Fields) -> tuple[Submission | None, list[Fault]]:
    try:
        submission = Submission.model_validate(dict(fields))
    except ValidationError as error:
        faults = from_validation(error, TOML_NAME, lambda *path: None)
        return None, [
            replace(one, remedy=f"give {OPTIONS[one.field]}") if one.field in OPTIONS else one
            for one in faults
        ]
    if submission.reported is None:
        return submission, []
    problem = "is for numbers from papers, which have no predictions"
    return None, [Fault(TOML_NAME, None, "reported", problem, "remove it, or send the folder by hand")]


def _left_out(run: Run | None, key: AnswerKey, lines: Sequence[Numbered]) -> dict[str, str]:
    """Question -> why a run with HLVID_PARTIAL=1 did not ask it, as its record says; {} where that does not explain
    all that is missing."""
    recorded = mapping(run.dataset.get("left_out")) if run is not None and run.limit is None else {}
    answered = {one.question_id for _, one in lines}
    missing = [one for one in key.questions if one.id not in answered]
    if len(missing) > len(recorded):
        return {}
    unnamed = "not asked (HLVID_PARTIAL=1)"  # the record names rows of files, not questions
    by_video = [str(why) for why in recorded.values()]
    return {
        one.id: str(recorded.get(one.id) or next((why for why in by_video if one.video in why), unnamed))[
            :120
        ]
        for one in missing
    }


def _other_questions(run: Run | None, key: AnswerKey, left_out: Mapping[str, str]) -> list[Fault]:
    """A run on other questions than the key's has to be seen, even where ids agree.

    Only prompts in the task's own wording can be compared as a whole; others are looked at one by one (`asks`).
    """
    from hlvid.tasks.folder import prompt_hash

    dataset: Fields = run.dataset if run is not None else {}
    asked, own = dataset.get("prompts"), dataset.get("prompt", "published") in ("published", "hlvid")
    if dataset.get("shuffle") is not None or dataset.get("circular"):
        problem = "the run showed options in another order, under other letters than the key has"
        return [Fault("record.json", None, "shuffle", problem, "run again without shuffle and circular")]
    these = [one for one in key.questions if one.id not in left_out]
    if asked is None or not own or not key.worded or asked == prompt_hash(these):
        return []
    problem = f"the run asked other questions than {key.revision} has"
    return [Fault("record.json", None, "prompts", problem, "run again on the present version, all questions")]


def _private(submission: Submission | None, lines: Sequence[Numbered], file: str) -> list[Fault]:
    """Keys, passwords, hosts and home folders in texts, which a pull request would show to everybody."""
    texts = [(file, number, "raw_output", one.raw_output) for number, one in lines if one.raw_output]
    stated = texts_of(submission.model_dump(mode="json")) if submission is not None else {}
    return private([*((TOML_NAME, None, field, text) for field, text in stated.items()), *texts])


def _with_means(cost: Cost, lines: Sequence[Numbered]) -> Cost:
    """Mean seconds and tokens of the answers, where every answer has them and the submitter states none."""
    found = {}
    for name, field in (("seconds_per_question", "seconds"), ("tokens_per_question", "tokens")):
        values = [getattr(prediction, field) for _, prediction in lines]
        if values and None not in values and getattr(cost, name) is None:
            found[name] = round(sum(values) / len(values), 3)
    return cost.model_copy(update=found)


def _file_of(run: Run | None) -> str:
    return JSONL_NAME if run is None else run.samples.name
