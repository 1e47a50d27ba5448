"""Is a submission whole and sound? Every fault at once, and the rows to score when there is none."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hlvid.errors import DatasetError
from hlvid.scoring.accuracy import Row
from leaderboard.benchmarks import MINI, TITLES, AnswerKey, Keys, fetched_as
from leaderboard.format.faults import Fault, SubmissionError, from_validation, shorten
from leaderboard.format.matching import match, with_matched
from leaderboard.format.reading import read_predictions, read_toml
from leaderboard.format.schema import FOLDER, Prediction, Submission
from leaderboard.format.toml_text import Lines

TOML_NAME = "submission.toml"
FORMER = "submission.yaml"  # up to 0.2
FORMER_REMEDY = (
    f'write it as {TOML_NAME}: field = "text" lines, groups as [model]; docs/submission.md has an example'
)
JSONL_NAME = "predictions.jsonl"
README = "README.md"
ALLOWED = {TOML_NAME, JSONL_NAME, README}
FOLDER_NAME = re.compile(FOLDER)
_HASH = re.compile(r"(?:^|sha256:)[0-9a-f]{64}$")
FOLDER_RULE = "use a-z, 0-9, '.', '_' and '-', at most 80, beginning with a letter or digit"
LARGEST = 10_000  # questions of any benchmark here, rounded up
MOST_LINES = 10  # times the questions: past that a file is not worth reading on


@dataclass(frozen=True)
class Report:
    """What a check found. Without faults, `rows` (for `hlvid.scoring.summarize`) has every question of `key`.

    `key` is None for a reported number, and where a fault says that there is none; `key_missing` if that is
    this machine's lack and not the submission's.
    """

    folder: Path
    submission: Submission | None
    faults: tuple[Fault, ...]
    key: AnswerKey | None = None
    rows: tuple[Row, ...] = ()
    predictions: Mapping[str, Prediction] = field(default_factory=dict, hash=False)
    warnings: tuple[str, ...] = ()
    key_missing: bool = False

    @property
    def path(self) -> str:
        """Where it is on the board: "hlvid/some-model"."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    def raise_for_faults(self) -> None:
        """Raise `SubmissionError` with all faults, if there are any."""
        if self.faults:
            raise SubmissionError(self.faults)


def check_folder(folder: Path, keys: Keys | None = None, *, placed: bool = False) -> Report:
    """Check a submission folder against its benchmark's answer key; never raises on bad content.

    Args:
        folder: holds submission.toml and predictions.jsonl, both untrusted.
        keys: answer keys; by default from this machine's data folder.
        placed: the folder is BENCHMARK/NAME as on the board, so its parent's name has to agree.
    """
    faults = _check_files(folder)
    if folder.is_symlink() or not folder.is_dir():
        return Report(folder, None, tuple(faults))
    submission, data, lines, toml_faults = read_submission(folder)
    faults += toml_faults + (_place_faults(folder, data, lines) if placed else [])
    if placed and submission is not None and submission.reported is None:
        faults += _unpinned(submission, lines)
    if data.get("reported") is not None:
        return Report(folder, submission, tuple(faults + _reported_faults(folder, lines)))
    key, key_faults = find_key(data, keys or Keys(), lines)
    faults += key_faults
    if key is None:
        faults += read_predictions(folder / JSONL_NAME, limit=line_limit(None))[1]
        missing = bool(key_faults) and data["benchmark"] != MINI  # whose key is everywhere
        return Report(folder, submission, tuple(faults), key_missing=missing)
    numbered, line_faults = read_predictions(folder / JSONL_NAME, limit=line_limit(key))
    matched = match(
        numbered, key.questions, JSONL_NAME, left_out=submission.left_out if submission is not None else {}
    )
    faults += with_matched(line_faults, matched)
    predictions = {prediction.question_id: prediction for _, prediction in numbered}
    if submission is not None:
        faults += contradictions(submission, list(predictions.values()), lines)
    rows = () if faults else matched.rows
    return Report(folder, submission, tuple(faults), key, rows, predictions, matched.warnings)


def read_submission(folder: Path) -> tuple[Submission | None, Mapping[str, Any], Lines, list[Fault]]:
    """`submission.toml` as a `Submission`, as it was read, with the lines of its fields; and its faults."""
    data, lines, faults = read_toml(folder / TOML_NAME)
    if faults:
        return None, data, lines, faults
    try:
        return Submission.model_validate(data), data, lines, []
    except ValidationError as error:
        return None, data, lines, from_validation(error, TOML_NAME, lines.of)


def find_key(data: Mapping[str, Any], keys: Keys, lines: Lines) -> tuple[AnswerKey | None, list[Fault]]:
    """The answer key of the benchmark and version that unchecked fields state, or why there is none.

    Neither key nor fault where the schema has a fault for the field already.
    """
    benchmark, stated = data.get("benchmark"), data.get("dataset_revision")
    if not isinstance(benchmark, str) or benchmark not in TITLES or not isinstance(stated, str | None):
        return None, []
    try:
        key = keys.get(benchmark, stated)
    except DatasetError as error:
        name = "dataset_revision" if benchmark == MINI else "benchmark"
        problem = f"cannot be scored here: {error}"
        known = fetched_as(benchmark)
        enough = f"'hlvid data prepare {known} --no-videos' is enough for scoring"
        remedy = "see docs/leaderboard.md" if known is None else enough
        return None, [Fault(TOML_NAME, lines.of(name), name, problem, remedy)]
    if key.matches(stated):
        return key, []
    name = "dataset_revision"
    problem = f"{shorten(stated, 100)} is not the version of the answer key, {key.revision}"
    remedy = "run on that version, or leave the field out if the questions are the same"
    return key, [Fault(TOML_NAME, lines.of(name), name, problem, remedy)]


def contradictions(submission: Submission, answers: Sequence[Prediction], lines: Lines) -> list[Fault]:
    """Stated settings and costs that the lines' own `frames`, `width`, `height`, `tokens`, `seconds` belie."""
    settings, cost = submission.settings, submission.cost
    sides = [max(one.width or 0, one.height or 0) if one.width or one.height else None for one in answers]
    most = (
        ("settings.frames", settings.frames, [one.frames for one in answers]),
        ("settings.resolution", settings.resolution, sides),
    )
    mean = (
        ("cost.tokens_per_question", cost.tokens_per_question, [one.tokens for one in answers]),
        ("cost.seconds_per_question", cost.seconds_per_question, [one.seconds for one in answers]),
    )
    faults = []
    for name, stated, values in most:
        found = max((value for value in values if value is not None), default=None)
        more = found is not None and stated is not None and found > stated
        less = found is not None and stated is not None and found < stated and None not in values
        if more or less:
            problem = f"is {stated}, but the most that a line of {JSONL_NAME} has is {found}"
            faults.append(Fault(TOML_NAME, lines.of(*name.split(".")), name, problem, f"state {found}"))
    for name, stated_mean, each in mean:
        known = [value for value in each if value is not None]
        average = sum(known) / len(known) if known and len(known) == len(each) else None
        if (
            stated_mean is not None
            and average is not None
            and abs(average - stated_mean) > 0.01 * (average + 1)
        ):
            problem = f"is {stated_mean:g}, but the lines of {JSONL_NAME} have {average:g} in the mean"
            remedy = "leave it out: it is computed"
            faults.append(Fault(TOML_NAME, lines.of(*name.split(".")), name, problem, remedy))
    return faults


def stranger_remedy(name: str) -> str:
    """What to do about a file that no submission has."""
    return FORMER_REMEDY if name == FORMER else f"a submission holds {', '.join(sorted(ALLOWED))} alone"


def line_limit(key: AnswerKey | None) -> int:
    """Lines to read at most; without a key, as many as the largest benchmark needs."""
    return MOST_LINES * (len(key.questions) if key is not None else LARGEST)


def _unpinned(submission: Submission, lines: Lines) -> list[Fault]:
    """An entry names its questions by their hash, or another key would score it anew without a word."""
    stated = submission.dataset_revision
    if stated is not None and _HASH.search(stated):
        return []
    problem = "is missing" if stated is None else f"is {shorten(stated)}, a name whose questions may change"
    remedy = "give the hash of the questions, as 'hlvid submit' writes it"
    return [Fault(TOML_NAME, lines.of("dataset_revision"), "dataset_revision", problem, remedy)]


def _place_faults(folder: Path, data: Mapping[str, Any], lines: Lines) -> list[Fault]:
    """The folder lies under its benchmark's name."""
    if data.get("benchmark", folder.parent.name) == folder.parent.name:
        return []
    problem = f"is {shorten(data['benchmark'])}, but the folder lies under {shorten(folder.parent.name)}"
    return [Fault(TOML_NAME, lines.of("benchmark"), "benchmark", problem, "move the folder")]


def _reported_faults(folder: Path, lines: Lines) -> list[Fault]:
    """A reported number has no predictions, or it would be rescored."""
    if not os.path.lexists(folder / JSONL_NAME):
        return []
    problem, remedy = "a reported number has no predictions", f"remove 'reported' or {JSONL_NAME}"
    return [Fault(TOML_NAME, lines.of("reported"), "reported", problem, remedy)]


def _check_files(folder: Path) -> list[Fault]:
    """The folder holds plain files of known names only: no links, no folders, nothing hidden."""
    if folder.is_symlink() or not folder.is_dir():
        return [Fault(folder.name, None, "(folder)", "is not a folder", "give the folder of one submission")]
    faults = []
    if not FOLDER_NAME.fullmatch(folder.resolve().name):
        problem = "has a name that is not allowed"
        faults.append(Fault(shorten(folder.name), None, "(folder)", problem, FOLDER_RULE))
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)[:100]
    except OSError as error:
        return [
            Fault(
                shorten(folder.name),
                None,
                "(folder)",
                f"cannot be read: {error.strerror}",
                "allow reading it",
            )
        ]
    for entry in entries:
        if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
            faults.append(Fault(shorten(entry.name), None, "(file)", "is not a plain file", "remove it"))
        elif entry.name not in ALLOWED:
            remedy = stranger_remedy(entry.name)
            faults.append(Fault(shorten(entry.name), None, "(file)", "does not belong here", remedy))
    return faults
