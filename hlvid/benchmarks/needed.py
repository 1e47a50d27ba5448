"""What a task asks about, read from its question files alone: rows, videos, subtitles. Opens no video."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from hlvid.benchmarks import locate, registry
from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.benchmarks.rows import Row, RowError
from hlvid.dataset.files import Record, read_rows
from hlvid.dataset.rows import Faults, parse_files
from hlvid.errors import DatasetError


@dataclass(frozen=True)
class Wanted:
    """One video that questions need: `places` where it may lie in the repository, best first; the ids and
    categories of its questions, where they can be told."""

    places: tuple[str, ...]
    questions: tuple[str, ...] = ()
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Needed:
    """The files that a task asks about, relative to the repository; `extras` are wanted where they exist."""

    videos: tuple[Wanted, ...]
    extras: tuple[str, ...] = ()
    questions: int = 0


def needed(task: str, tables: Sequence[Path] | None = None) -> Needed:
    """What a task needs beside its question files, which must be here: `tables`, else wherever they are found."""
    if task == "hlvid":
        return _of_hlvid(tables or tables_of(task))
    rows = rows_of(task, tables)
    videos = [Wanted(one) for one in dict.fromkeys(tuple(row.places(table)) for table, _, row in rows)]
    extras = dict.fromkeys(extra for _, _, row in rows for extra in row.extras())
    return Needed(tuple(videos), tuple(extras), len(rows))


def _of_hlvid(tables: Sequence[Path]) -> Needed:
    questions = parse_files(tables[0].parent.parent, tables)
    ids: dict[str, list[str]] = {}
    categories: dict[str, set[str]] = {}
    for one in questions:
        ids.setdefault(one.video, []).append(one.id)
        categories.setdefault(one.video, set()).add(one.category)
    videos = [
        Wanted((f"videos/{name}", name), tuple(asked), frozenset(categories[name]))
        for name, asked in ids.items()
    ]
    return Needed(tuple(videos), (), len(questions))


def tables_of(task: str) -> list[Path]:
    """A task's question files; raises DatasetError, with places and remedy, where they are not on this machine."""
    benchmark = registry.get(task)
    tables = locate.tables(benchmark, task)
    if not tables:
        looked = ", ".join(map(str, locate.folders(benchmark))) or "no folder of it exists"
        raise DatasetError(
            f"task {task}: {benchmark.repo} is not on this machine ({', '.join(benchmark.tables[task])}; "
            f"looked in: {looked}); run 'hlvid data prepare {benchmark.name}'"
        )
    return tables


def rows_of(task: str, tables: Sequence[Path] | None = None) -> list[tuple[Path, Record, Row]]:
    """Every row of a task's question files, checked column by column.

    Of several files one row each in turn, so that `--limit 100` asks about all of MVBench's abilities.

    Raises:
        DatasetError: no such files here, or a list of faults with file, row and field.
    """
    files = [_rows_of(table, ADAPTERS[task]) for table in tables or tables_of(task)]
    return [row for turn in zip_longest(*files) for row in turn if row is not None]


def _rows_of(table: Path, kind: type[Row]) -> list[tuple[Path, Record, Row]]:
    faults = Faults(str(table))
    read = [(table, record, _row(kind, table, record, faults)) for record in read_rows(table)]
    faults.check()
    return [(table, record, row) for table, record, row in read if row is not None]


def _row(kind: type[Row], table: Path, record: Record, faults: Faults) -> Row | None:
    """One row, or None with its faults noted."""
    try:
        row = kind.model_validate(record.values)
        for place in [*row.places(table), *row.extras()]:
            if place.startswith(("/", "\\")) or ".." in PurePosixPath(place.replace("\\", "/")).parts:
                raise RowError("video", f"'{place}' leads outside the benchmark's folder")
    except ValidationError as error:
        for item in error.errors():
            column = str(item["loc"][0]) if item["loc"] else "row"
            missing = item["type"] == "missing"
            what = (
                f"no such column among {', '.join(record.values)}"
                if missing
                else f"{item['input']!r}: {item['msg']}"
            )
            faults.add(record.where, column, what)
        return None
    except RowError as error:
        faults.add(record.where, error.column, error.what)
        return None
    return row
