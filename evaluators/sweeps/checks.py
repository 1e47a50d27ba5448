"""Which cells of a sweep would be refused, known before any of them starts: `hlvid sweep GRID --dry-run`."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hlvid.errors import RunError

if TYPE_CHECKING:
    from evaluators.sweeps.cells import Cell


def refused(cells: "Sequence[Cell]") -> list[str]:
    """One line a fault, with how many cells have it."""
    counts = Counter(fault for cell in cells for fault in _faults(cell))
    return [f"{count} cell{'s' if count > 1 else ''}: {fault}" for fault, count in counts.items()]


def _faults(cell: "Cell") -> list[str]:
    from evaluators.runs.checks import faults_of

    try:
        return faults_of(cell.spec())
    except RunError as error:  # values that no command line can carry
        return [str(error)]
