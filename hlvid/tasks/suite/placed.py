"""Rows of a benchmark with their videos on this machine, each looked at before the first model is built."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from pathlib import Path

from hlvid.benchmarks import locate, registry
from hlvid.benchmarks.rows import Row
from hlvid.dataset.files import Record
from hlvid.errors import DatasetError
from hlvid.tasks.arguments import switched_on
from hlvid.tasks.screening import screen

MAX_SHOWN = 5


@dataclass(frozen=True)
class Placed:
    """One row with where it came from, where its video is (None: nobody looked), and what is wrong with the video
    if it is asked about all the same."""

    table: Path
    record: Record
    row: Row
    video: Path | None
    damage: str | None = None


def place(task: str, rows: Sequence[tuple[Path, Record, Row]]) -> tuple[list[Placed], dict[str, str]]:
    """Rows with their videos, and what is left out of them with HLVID_PARTIAL=1: "FILE row 3" -> why; without it
    raises for videos not found or broken."""
    benchmark = registry.get(task)
    here = locate.folders(benchmark)
    found = [(table, record, row, locate.first(here, row.places(table))) for table, record, row in rows]
    absent = [(table, record, row) for table, record, row, video in found if video is None]
    placed = [Placed(table, record, row, video) for table, record, row, video in found if video is not None]
    if absent and (not switched_on("HLVID_PARTIAL") or not placed):
        lost = {row.places(table)[0]: f"{table.name} {record.where}" for table, record, row in absent}
        shown = "; ".join(f"{name} ({where})" for name, where in list(lost.items())[:MAX_SHOWN])
        raise DatasetError(
            f"task {task}: {len(lost)} of its videos not found: {shown}{_more(lost)}; looked in "
            f"{', '.join(map(str, locate.folders(benchmark)))}; run 'hlvid data prepare {benchmark.name}'"
            + (", or set HLVID_PARTIAL=1 to ask only about what is there" if placed else "")
        )
    left_out = {
        f"{table.name} {record.where}": f"{row.places(table)[0]} is not here" for table, record, row in absent
    }
    screened = screen(one.video for one in placed if one.video)
    sound = [
        replace(one, damage=screened.kept.get(one.video))
        for one in placed
        if one.video and one.video not in screened.left_out
    ]
    left_out |= {
        f"{one.table.name} {one.record.where}": f"{one.row.places(one.table)[0]} {screened.left_out[one.video]}"
        for one in placed
        if one.video and one.video in screened.left_out
    }
    broken = screened.refused or (screened.left_out if not sound else {})
    if broken:
        shown = "; ".join(f"{path} {what}" for path, what in list(broken.items())[:MAX_SHOWN])
        raise DatasetError(
            f"task {task}: {len(broken)} broken videos: {shown}{_more(broken)}; delete them and run "
            f"'hlvid data prepare {benchmark.name}', or set HLVID_PARTIAL=1 to leave them out"
        )
    return sound, left_out


def _more(things: Sized) -> str:
    return f"; and {len(things) - MAX_SHOWN} more" if len(things) > MAX_SHOWN else ""
