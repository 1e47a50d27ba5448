"""What a sweep will cost, from what cells like these have cost before, and what of it would be refused:
`hlvid sweep GRID --dry-run`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from evaluators.runs.checks import faults_of
from evaluators.sweeps.cells import Cell
from hlvid.errors import RunError

Record = Mapping[str, Any]

BYTES_A_CELL = 20_000_000
"""Samples, journal and log of a few hundred answers; measured at 3 to 15 MB."""


@dataclass(frozen=True)
class Forecast:
    """cells: still to run. done: finished before. hours: of one device. unknown: cells without an estimate."""

    cells: int
    done: int
    hours: float
    unknown: int
    disk: int


def forecast(cells: Sequence[Cell], done: Sequence[Record], others: Sequence[Record] = ()) -> Forecast:
    """Seconds of the cell of the same model and task that is nearest in frames x pixels, scaled by these.

    Args:
        cells: of the grid.
        done: records of this sweep; what is done is not counted.
        others: records of other sweeps, to judge by alone.
    """
    finished = {record["identity"] for record in done if record["status"] == "ok"}
    earlier = [*done, *others]
    missing = [cell for cell in cells if cell.identity() not in finished]
    seconds = [_seconds(cell, earlier) for cell in missing]
    known = [value for value in seconds if value is not None]
    return Forecast(
        cells=len(missing),
        done=len(cells) - len(missing),
        hours=sum(known) / 3600,
        unknown=len(seconds) - len(known),
        disk=len(missing) * BYTES_A_CELL,
    )


def refused(cells: Sequence[Cell]) -> list[str]:
    """The cells that could not start, known before any of them does: one line a fault, with how many cells have it."""
    counts = Counter(fault for cell in cells for fault in _faults(cell))
    return [f"{count} cell{'s' if count > 1 else ''}: {fault}" for fault, count in counts.items()]


def _faults(cell: Cell) -> list[str]:
    try:
        return faults_of(cell.spec())
    except RunError as error:  # values that no command line can carry
        return [str(error)]


def _seconds(cell: Cell, earlier: Sequence[Record]) -> float | None:
    like = [
        (record["results"]["seconds"], _work(record["labels"]))
        for record in earlier
        if (record["model"], record["task"]) == (cell.model, cell.task)
        and record["status"] == "ok"
        and record["limit"] == cell.limit
        and record["results"].get("seconds")
    ]
    if not like:
        return None
    work = _work(cell.labels)
    distance = min(abs(other / work - 1) for _, other in like)
    return fmean(s * work / other for s, other in like if abs(other / work - 1) == distance)


def _work(labels: Mapping[str, Any]) -> float:
    """Frames x pixels: what all stages grow with; 1 where a cell has neither."""
    frames, resolution = labels.get("frames") or 1, labels.get("resolution") or 1
    return float(frames) * float(resolution) ** 2
