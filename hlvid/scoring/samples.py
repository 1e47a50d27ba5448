"""Answers of a finished run, from whatever wrote them: `hlvid eval`, lmms-eval with our tasks, plain lmms-eval.

Nothing else is needed, no dataset and no video: rows of our tasks say what was right, those of plain lmms-eval tasks
hold the prompt (`input`), whose options are read, and the `target`. The latter know no recordings: each question
then stands for itself.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hlvid.dataset.text import split_question, squeeze
from hlvid.errors import AnswerError
from hlvid.scoring.answers import parse_answer
from hlvid.scoring.collapse import each

Row = Mapping[str, Any]

SAMPLES = re.compile(r"(?:(?P<date>.+?)_)?samples_(?P<task>.+)\.jsonl")
"""Names of lmms-eval's samples files."""
OWN = "samples.jsonl"
"""Name of `hlvid eval`'s, which keeps lmms-eval's files in lmms_eval/."""


@dataclass(frozen=True)
class Sample:
    """One answer to a question, the `repeat`-th from 0. `parsed` is None where no letter was found, `how` says why.

    `options` is empty and `answer` None where the file does not tell them; `source`, `category` and `tier` are None
    where unknown. With shuffle or circular, `order` is the published letters as shown and `circle` the question
    that a rotation belongs to. `place` is file and line, for messages.
    """

    question_id: str
    raw_output: str
    parsed: str | None
    how: str
    correct: bool
    options: Mapping[str, str]
    answer: str | None
    source: str | None
    category: str | None
    tier: str | None
    task: str | None
    place: str
    repeat: int = 0
    order: str | None = None
    circle: str | None = None

    @property
    def published(self) -> str | None:
        """The letter that the option chosen has where nobody changed their order."""
        shown = sorted(self.order or "")
        return self.order[shown.index(self.parsed)] if self.order and self.parsed in shown else self.parsed

    def to_row(self) -> dict[str, Any]:
        """What `summarize` and `compare` take, once `collapse` made one row of a question's turns."""
        names = ("question_id", "correct", "source", "category", "tier")
        turn = {name: value for name in ("repeat", "circle") if (value := getattr(self, name))}
        return {name: getattr(self, name) for name in names} | {"parsed": self.published} | turn


def rescored(sample: Sample) -> Sample:
    """The sample with the letter that today's parser finds in its text.

    Raises:
        AnswerError: its options or its answer are not known.
    """
    if not sample.options or sample.answer is None:
        raise AnswerError(
            f"{sample.place}: question {sample.question_id}: neither fields options and answer nor input and target "
            "tell what was asked; run again with lmms_eval --log_samples, or give the submission"
        )
    parsed = parse_answer(sample.raw_output, sample.options)
    return replace(sample, parsed=parsed.letter, how=parsed.how, correct=parsed.letter == sample.answer)


def read_samples(path: Path, task: str | None = None) -> list[Sample]:
    """All samples of a run.

    Args:
        path: a run's folder, or a samples file.
        task: which one, where the run holds several.

    Raises:
        AnswerError: file, line and field of the first fault; no samples, or those of several tasks.
    """
    file = find_samples(path, task)
    named = SAMPLES.fullmatch(file.name)
    lines = [(place, one) for place, row in read_lines(file).items() for one in each([row])]
    samples = [_sample(row, place, named and named["task"]) for place, row in lines]
    tasks = sorted({one.task for one in samples if one.task is not None})
    if task is not None and task in tasks:
        samples = [one for one in samples if one.task == task]
    elif len(tasks) > 1:
        raise AnswerError(f"{file}: holds answers of {', '.join(tasks)}; choose one with --task")
    seen: dict[tuple[str, int], str] = {}
    for one in samples:
        if (one.question_id, one.repeat) in seen:
            earlier = seen[one.question_id, one.repeat].rsplit(": ", 1)[-1]
            raise AnswerError(
                f"{one.place}: question {one.question_id} was answered on {earlier}; keep one of them"
            )
        seen[one.question_id, one.repeat] = one.place
    return samples


def find_samples(
    path: Path,
    task: str | None = None,
    also: Callable[[str], str | None] = lambda name: None,
    option: str = "--task",
) -> Path:
    """The samples file of a run's folder (the newest of a task), or the file itself; raises AnswerError for none.

    also: another name by which `task` may mean a task. option: what chooses one, for messages.
    """
    if path.is_file():
        return path
    if (path / OWN).is_file():
        return path / OWN
    every = [
        (match["task"], file)
        for file in sorted(path.rglob("*.jsonl"))
        if (match := SAMPLES.fullmatch(file.name))
    ]
    found = [(name, file) for name, file in every if task in (None, name, also(name))]
    if not found:
        of, others = f" of {task}" if task else "", ", ".join(sorted({name for name, _ in every})[:10])
        raise AnswerError(
            f"{path}: no samples{of} in it{f', only of {others}' if others else ''}; "
            "run lmms_eval with --log_samples --output_path, or hlvid eval"
        )
    if len({(name, file.parent) for name, file in found}) > 1:
        names = ", ".join(str(file.relative_to(path)) for _, file in found[:10])
        raise AnswerError(f"{path}: holds several runs ({names}); give one of these files, or {option}")
    return found[-1][1]


def read_lines(path: Path) -> dict[str, Row]:
    """The objects of a file of JSON lines, by "FILE: line N"."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnswerError(f"{path}: cannot be read ({error.strerror})") from error
    rows: dict[str, Row] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{path}: line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise AnswerError(
                f"{place}: is not JSON in UTF-8 ({error}); an interrupted run leaves such a line"
            ) from error
        if not isinstance(row, dict):
            raise AnswerError(f"{place}: is {type(row).__name__}; each line has to be an object {{…}}")
        rows[place] = row
    if not rows:
        raise AnswerError(f"{path}: holds no samples; run lmms_eval with --log_samples")
    return rows


def _sample(row: Row, place: str, task: str | None) -> Sample:
    options, answer = _asked(row)
    identity = row.get("question_id", row.get("doc_id"))
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise AnswerError(f"{place}: field 'question_id' is {identity!r}; give it, or lmms-eval's doc_id")
    sample = Sample(
        question_id=str(identity),
        raw_output=_raw(row, place),
        parsed=None,
        how="",
        correct=False,
        options=options,
        answer=answer,
        source=_label(row, "source"),
        category=_label(row, "category"),
        tier=_label(row, "tier"),
        task=_label(row, "task") or task,
        place=place,
        repeat=int(row.get("repeat") or 0),
        order=_label(row, "order"),
        circle=_label(row, "circle"),
    )
    if "correct" not in row or "parsed" not in row:
        return rescored(sample)
    if not isinstance(row["correct"], bool):
        withheld = "; its answer is withheld: such runs cannot be compared" if row["correct"] is None else ""
        raise AnswerError(f"{place}: field 'correct' is {row['correct']!r}; allowed: true, false{withheld}")
    parsed = row["parsed"]
    if not (parsed is None or isinstance(parsed, str)):
        raise AnswerError(f"{place}: field 'parsed' is {parsed!r}; give a letter or null")
    if (
        isinstance(row.get("options"), Mapping)
        and answer is not None
        and row["correct"] != (parsed == answer)
    ):
        raise AnswerError(
            f"{place}: field 'correct' is {row['correct']}, but {parsed!r} was read and {answer!r} is right; take the "
            "file as the run wrote it"
        )
    return replace(sample, parsed=parsed, how=str(row.get("how") or ""), correct=row["correct"])


def _asked(row: Row) -> tuple[Mapping[str, str], str | None]:
    """Options and answer: as `hlvid eval` writes them, else from lmms-eval's prompt and target."""
    options = row.get("options")
    if not isinstance(options, Mapping):
        text = row.get("input")
        options = split_question(text).options if isinstance(text, str) else {}
    answer = row.get("answer", row.get("target"))
    if isinstance(answer, str) and answer not in options:
        bare = answer.strip("(). \n").upper()
        same = [key for key, text in options.items() if squeeze(text) == squeeze(answer)]
        answer = bare if bare in options else same[0] if len(same) == 1 else None
    return options, answer if isinstance(answer, str) else None


def text_of(row: Row) -> object:
    """The model's text: ours in raw_output; lmms-eval's in resps (unfiltered) or filtered_resps, nested."""
    names = ("raw_output", "resps", "filtered_resps")
    value = next((row[name] for name in names if row.get(name) is not None), None)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def _raw(row: Row, place: str) -> str:
    value = text_of(row)
    if not isinstance(value, str):
        raise AnswerError(
            f"{place}: no single text in raw_output, resps or filtered_resps; found {value!r:.80}"
        )
    return value


def _label(row: Row, name: str) -> str | None:
    value = row.get(name)
    return None if value is None else str(value)


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """A short name for each path: as many of its last parts as tell them apart.

    Raises:
        AnswerError: the same path twice.
    """
    parts = [path.resolve().parts for path in paths]
    if len(set(parts)) < len(parts):
        raise AnswerError(f"{paths[0]}: is given twice; give different runs" if paths else "give two runs")
    for depth in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
