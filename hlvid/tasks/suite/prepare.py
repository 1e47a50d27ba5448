"""From a benchmark's files on this machine to what lmms-eval loads, one way for all of them.

Example::

    prepare("hlvid_videomme")       # -> a folder that lmms-eval loads with `load_from_disk: true`

Every row is read and every video looked at before the first model is built; what is wrong is told at once,
with file, row and field, or with question and video.
"""

import json
import os
from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hlvid import dataset
from hlvid.benchmarks import locate as places
from hlvid.benchmarks import registry
from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.benchmarks.needed import rows_of
from hlvid.benchmarks.rows import Item, Row, RowError, Shelf
from hlvid.dataset.files import Record
from hlvid.dataset.identity import asked_hash
from hlvid.dataset.options import option_spans
from hlvid.dataset.question import Question
from hlvid.dataset.rows import Faults
from hlvid.dataset.text import squeeze
from hlvid.errors import DatasetError
from hlvid.tasks import costs as ledger
from hlvid.tasks import folder as docs
from hlvid.tasks import parity as theirs
from hlvid.tasks.screening import screen
from hlvid.tasks.suite.settings import Settings, settings

TASKS = tuple(ADAPTERS)
MAX_SHOWN = 5


@dataclass(frozen=True)
class Placed:
    """One row with where it came from, where its video is, and what is wrong with that if it is asked about
    all the same."""

    table: Path
    record: Record
    row: Row
    video: Path
    damage: str | None = None


def prepare(task: str) -> Path:
    """Check a benchmark and write it for lmms-eval.

    Returns:
        A folder saved by `datasets` with the split "test" and `hlvid_task.json`, which says what it holds
        and by which settings.

    Raises:
        DatasetError: questions not on this machine, a malformed row, a missing or broken video.
        RunError: a setting that does not exist.

    With HLVID_PARTIAL=1 in the environment, questions whose videos are absent or broken are left out; with
    HLVID_DAMAGED=1 videos are asked about that are damaged but can be read.
    """
    ledger.clear()
    chosen = settings()
    benchmark = registry.get(task)
    placed = _placed(task, rows_of(task))
    items = _items(task, placed, chosen)
    questions = _questions(task, items, placed, chosen)
    fingerprint = asked_hash(questions)
    rows = _rows(task, questions, items, placed, chosen, fingerprint)
    info = {
        "repo": benchmark.repo,
        "repo_revision": benchmark.revision,
        "tables": {path.name: dataset.file_hash(path) for path in places.tables(benchmark, task)},
        "hidden": ADAPTERS[task].hidden,
        "fingerprint": fingerprint,
        "questions": len(questions),
        **chosen.as_json(),
    }
    return docs.publish(task + chosen.variant(), questions, rows, info)


def asked(task: str) -> list[Question]:
    """The questions of a task as `prepare` asks them by default, from its question files alone: an answer key.

    Videos need not be here, but for a task whose wording depends on them (Video-MME's with subtitles).

    Raises:
        DatasetError: as `rows_of`.
    """
    benchmark, chosen = registry.get(task), Settings()
    home = places.home(benchmark)
    here = places.folders(benchmark)
    placed = [
        Placed(table, record, row, places.first(here, row.places(table)) or home / row.places(table)[0])
        for table, record, row in rows_of(task)
    ]
    return _questions(task, _items(task, placed, chosen), placed, chosen)


def _placed(task: str, rows: Sequence[tuple[Path, Record, Row]]) -> list[Placed]:
    """Rows with their videos; raises for those not found or broken, unless HLVID_PARTIAL=1."""
    benchmark = registry.get(task)
    here = places.folders(benchmark)
    found = [(table, record, row, places.first(here, row.places(table))) for table, record, row in rows]
    absent = [(table, record, row) for table, record, row, video in found if video is None]
    placed = [Placed(table, record, row, video) for table, record, row, video in found if video is not None]
    if absent and (os.environ.get("HLVID_PARTIAL") != "1" or not placed):
        lost = {row.places(table)[0]: f"{table.name} {record.where}" for table, record, row in absent}
        shown = "; ".join(f"{name} ({where})" for name, where in list(lost.items())[:MAX_SHOWN])
        raise DatasetError(
            f"task {task}: {len(lost)} of its videos not found: {shown}{_more(lost)}; looked in "
            f"{', '.join(map(str, places.folders(benchmark)))}; run 'hlvid data prepare {benchmark.name}'"
            + (", or set HLVID_PARTIAL=1 to ask only about what is there" if placed else "")
        )
    screened = screen(one.video for one in placed)
    sound = [
        replace(one, damage=screened.kept.get(one.video))
        for one in placed
        if one.video not in screened.left_out
    ]
    broken = screened.refused or (screened.left_out if not sound else {})
    if broken:
        shown = "; ".join(f"{path} {what}" for path, what in list(broken.items())[:MAX_SHOWN])
        raise DatasetError(
            f"task {task}: {len(broken)} broken videos: {shown}{_more(broken)}; delete them and run "
            f"'hlvid data prepare {benchmark.name}', or set HLVID_PARTIAL=1 to leave them out"
        )
    return sound


def _items(task: str, placed: Sequence[Placed], chosen: Settings) -> list[Item]:
    """The question of each row; faults in them are collected and raised, file by file."""
    find = partial(places.find, registry.get(task))
    notes: dict[Path, Faults] = {one.table: Faults(str(one.table)) for one in placed}
    items: list[Item] = []
    first: dict[str, str] = {}
    for one in placed:
        try:
            item = one.row.item(Shelf(one.video, find, chosen, one.table))
        except RowError as error:
            notes[one.table].add(one.record.where, error.column, error.what)
            continue
        if not option_spans(item.text, item.options):
            notes[one.table].add(
                one.record.where, "question", f"does not show its options in order: {item.text!r}"
            )
        name = _name(item, one)
        if name in first:
            notes[one.table].add(one.record.where, "id", f"'{name}' again; first in {first[name]}")
        first.setdefault(name, one.record.where)
        items.append(item)
    for faults in notes.values():
        faults.check()
    return items


def _name(item: Item, one: Placed) -> str:
    """The benchmark's own id; else category and row, as in "moving_count-17"."""
    return item.id or f"{item.category}-{one.record.where.split()[1]}"


def _questions(
    task: str, items: Sequence[Item], placed: Sequence[Placed], chosen: Settings
) -> list[Question]:
    """The questions in the wording that the settings ask for."""
    found = []
    for item, one in zip(items, placed, strict=True):
        foreign = chosen.prompt == theirs.NAME
        question = Question(
            id=_name(item, one),
            video=one.row.places(one.table)[0],
            source=item.source,
            category=item.category,
            text=theirs.prompt(task, one.record.values, one.video) if foreign else item.text,
            stem=squeeze(item.stem),
            options={letter: squeeze(text) for letter, text in item.options.items()},
            answer=item.answer,
            tier=item.tier,
            video_path=one.video.absolute(),
        )
        found.append(question)
    return found


def _rows(
    task: str,
    questions: Sequence[Question],
    items: Sequence[Item],
    placed: Sequence[Placed],
    chosen: Settings,
    fingerprint: str,
) -> list[dict[str, str | None]]:
    """The rows for lmms-eval: those of `docs.doc_of`, and what is the suite's own."""
    return [
        {
            **docs.doc_of(question, fingerprint),
            "task": task,
            "video_damage": one.damage,
            "labels": json.dumps(dict(item.labels), ensure_ascii=False) if item.labels else None,
            "metrics": json.dumps(ADAPTERS[task].metrics),
            "parser": chosen.parser,
            "row": json.dumps(one.record.values, default=str) if chosen.parser == theirs.NAME else None,
        }
        for question, item, one in zip(questions, items, placed, strict=True)
    ]


def _more(things: Sized) -> str:
    return f"; and {len(things) - MAX_SHOWN} more" if len(things) > MAX_SHOWN else ""
