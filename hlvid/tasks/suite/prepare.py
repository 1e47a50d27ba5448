"""From a benchmark's files on this machine to what lmms-eval loads, one way for all of them.

Every row is read and every video looked at before the first model is built; what is wrong is told at once,
with file, row and field, or with question and video.
"""

import json
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hlvid import dataset
from hlvid.benchmarks import locate, registry
from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.benchmarks.needed import rows_of
from hlvid.benchmarks.registry import Benchmark
from hlvid.benchmarks.rows import Files, PosedQuestion, RowError
from hlvid.dataset.options import option_spans
from hlvid.dataset.question import Question
from hlvid.dataset.rows import Faults
from hlvid.dataset.text import squeeze
from hlvid.download.catalogue import commit_of
from hlvid.errors import DatasetError
from hlvid.tasks import costs, parity
from hlvid.tasks import folder as docs
from hlvid.tasks.arguments import THEIRS, TaskArguments, arguments_of, switched_on
from hlvid.tasks.suite.placed import Placed, place

TASKS = tuple(ADAPTERS)


def prepare(task: str) -> Path:
    """Check a benchmark and write it for lmms-eval.

    Returns:
        A folder saved by `datasets` with the split "test" and `hlvid_task.json`, which says what it holds
        and by which settings.

    Raises:
        DatasetError: questions not on this machine, a malformed row, a missing or broken video.
        RunError: a setting that does not exist.

    With HLVID_PARTIAL=1 in the environment, rows that contradict themselves and questions whose videos are absent or
    broken are left out and named in `left_out`; with
    HLVID_DAMAGED=1 videos are asked about that are damaged but can be read.
    """
    costs.clear()
    chosen = arguments_of(task)
    benchmark = registry.get(task)
    every = rows_of(task)
    sound, left_out = place(task, every)
    placed, items, faulty = _items(task, sound, chosen, switched_on("HLVID_PARTIAL"))
    tables = locate.tables(benchmark, task)
    about = {
        "repo": benchmark.repo,
        "repo_revision": benchmark.revision,
        "commit": commit_of(_root_of(tables[0], benchmark)),
        "tables": {path.name: dataset.file_hash(path) for path in tables},
        "hidden": registry.task(task).hidden,
        "set_questions": len(every),
        "left_out": left_out | faulty,
        "clusters": _clusters(benchmark),
        **_subtitles(task, placed),
    }
    columns = [_columns(item, one, chosen) for item, one in zip(items, placed, strict=True)]
    posed = list(zip(_questions(task, items, placed, chosen), columns, strict=True))
    published = [Placed(*one, None) for one in every]  # what the set is: no video, no subtitles
    return docs.publish(task, chosen, _by_default(task, published), posed, about)


def asked(task: str) -> list[Question]:
    """The questions of a task as `prepare` asks them by default, from its question files alone: an answer key.

    Videos need not be here, but for a task whose wording depends on them (Video-MME's with subtitles). Rows that
    contradict themselves, which nobody can answer, are left out.

    Raises:
        DatasetError: as `rows_of`.
    """
    benchmark = registry.get(task)
    home, here = locate.home(benchmark), locate.folders(benchmark)
    placed = [
        Placed(table, record, row, locate.first(here, row.places(table)) or home / row.places(table)[0])
        for table, record, row in rows_of(task)
    ]
    return _by_default(task, placed)


def _by_default(task: str, placed: Sequence[Placed]) -> list[Question]:
    """All questions in the task's own wording, but those of rows that contradict themselves."""
    sound, items, _ = _items(task, placed, TaskArguments(), partly=True)
    return _questions(task, items, sound, TaskArguments())


def _root_of(table: Path, benchmark: Benchmark) -> Path:
    """The place that a question file was found in."""
    return next(place for place in locate.folders(benchmark) if place in table.parents)


def _clusters(benchmark: Benchmark) -> str:
    """What is drawn together when an interval is made; said loudly where the authors' file for it is absent."""
    absent = [name for name, _ in benchmark.companions if locate.find(benchmark, [name]) is None]
    if not absent:
        return benchmark.clusters
    warnings.warn(
        f"{benchmark.name}: {absent[0]} is not here, so intervals are by clip and too narrow; "
        f"run 'hlvid data prepare {benchmark.name}'",
        stacklevel=2,
    )
    return f"the clip ({absent[0]} is not here; right is: {benchmark.clusters})"


def _subtitles(task: str, placed: Sequence[Placed]) -> dict[str, int]:
    """How many videos come without subtitles, for a task that shows them.

    Raises:
        DatasetError: all of them: a number "with subtitles" must not come of it.
    """
    benchmark = registry.get(task)
    wanted = {name for one in placed if (name := one.row.subtitle())}
    here = locate.folders(benchmark)
    absent = [name for name in wanted if locate.first(here, [name]) is None]
    if wanted and len(absent) == len(wanted):
        raise DatasetError(
            f"task {task}: not one of {len(wanted)} videos has subtitles ({min(absent)} and so on; looked in "
            f"{', '.join(map(str, here))}); run 'hlvid data prepare {task}'"
        )
    return (
        {"videos": len({one.video for one in placed}), "videos_without_subtitles": len(absent)}
        if wanted
        else {}
    )


def _items(
    task: str, placed: Sequence[Placed], chosen: TaskArguments, partly: bool
) -> tuple[list[Placed], list[PosedQuestion], dict[str, str]]:
    """The rows and the question of each; faults in them are collected and raised, file by file.

    `partly`: rows with a fault are left out instead, and returned: "FILE row 3" -> what is wrong.
    """
    find = partial(locate.first, locate.folders(registry.get(task)))
    faulty: dict[str, str] = {}
    notes: dict[Path, Faults] = {one.table: Faults(str(one.table)) for one in placed}
    found: list[tuple[Placed, PosedQuestion]] = []
    first: dict[str, str] = {}
    for one in placed:
        fault = None
        try:
            item = one.row.posed(Files(one.video, find, one.table, chosen.subtitle_frames))
            if not option_spans(item.text, item.options):
                fault = ("question", f"does not show its options in order: {item.text!r}")
            elif (name := _name(item, one)) in first:
                fault = ("id", f"'{name}' again; first in {first[name]}")
            else:
                first[name] = one.record.where
                found.append((one, item))
        except RowError as error:
            fault = (error.column, error.what)
        if fault:
            notes[one.table].add(one.record.where, *fault)
            faulty[f"{one.table.name} {one.record.where}"] = ": ".join(fault)
    if not partly or not found:
        for faults in notes.values():
            faults.check()
    return [one for one, _ in found], [item for _, item in found], faulty


def _name(item: PosedQuestion, one: Placed) -> str:
    """The benchmark's own id; else category and row, as in "moving_count-17"."""
    return item.id or f"{item.category}-{one.record.where.split()[1]}"


def _questions(
    task: str, items: Sequence[PosedQuestion], placed: Sequence[Placed], chosen: TaskArguments
) -> list[Question]:
    """The questions in the wording that the settings ask for."""
    found = []
    for item, one in zip(items, placed, strict=True):
        question = Question(
            id=_name(item, one),
            video=one.row.places(one.table)[0],
            source=item.source,
            category=item.category,
            text=parity.prompt(task, one.record.values, one.video)
            if chosen.prompt == THEIRS and one.video
            else item.text,
            stem=squeeze(item.stem),
            options={letter: squeeze(text) for letter, text in item.options.items()},
            answer=item.answer,
            tier=item.tier,
            video_path=one.video.absolute() if one.video else None,
        )
        found.append(question.normalised(item.context) if chosen.prompt == "normalised" else question)
    return found


def _columns(item: PosedQuestion, one: Placed, chosen: TaskArguments) -> dict[str, str | None]:
    """What a row for lmms-eval holds beside the question: what is the suite's own."""
    return {
        "video_damage": one.damage,
        "labels": json.dumps(dict(item.labels), ensure_ascii=False) if item.labels else None,
        "parser": chosen.parser,
        "row": json.dumps(one.record.values, default=str) if chosen.parser == THEIRS else None,
    }
