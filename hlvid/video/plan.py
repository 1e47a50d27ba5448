"""Which packets have to be decoded to see certain frames, and where the decoder may start.

Pure arithmetic on the packet table: no file is touched here.
"""

from dataclasses import dataclass

import numpy as np

from hlvid.video.packets import Flags, Ints, PacketTable


@dataclass(frozen=True)
class Run:
    """Packets `first` to `last` (inclusive); `first` is a packet where decoding may start.

    flush: the decoder has to be emptied before `first`, because it must forget what it has seen.
    """

    first: int
    last: int
    flush: bool


@dataclass(frozen=True)
class Plan:
    """`runs` in file order, and `needed`: for every packet of the file whether the decoder gets it."""

    runs: tuple[Run, ...]
    needed: Flags


def make_plan(table: PacketTable, wanted_pts: Ints) -> Plan:
    """The least work that shows the frames with the time stamps `wanted_pts` (each must be in the table).

    Each frame needs its packet, and those before it from the last start whose own frame is not shown later
    (frames shown before an open GOP's start refer to the GOP before), less those that nobody refers to.
    """
    order = np.argsort(table.pts)
    positions = order[np.searchsorted(table.pts, wanted_pts, sorter=order)]
    needed = np.zeros(len(table.pts), np.bool_)
    spans = []
    for position in np.sort(positions):
        first = _start_for(table, int(position))
        span = slice(first, int(position) + 1)
        leading = table.pts[span] < table.pts[first]
        needed[span] |= ~table.droppable[span] & ~leading
        spans.append((first, int(position)))
    needed[positions] = True
    return Plan(_merge(spans, table), needed)


def _start_for(table: PacketTable, position: int) -> int:
    before = np.flatnonzero(table.start[: position + 1] & (table.pts[: position + 1] <= table.pts[position]))
    return int(before[-1])


def _merge(spans: list[tuple[int, int]], table: PacketTable) -> tuple[Run, ...]:
    """Join spans that touch; a gap before the next one makes a new run."""
    runs: list[Run] = []
    for first, last in sorted(spans):
        if runs and first <= runs[-1].last + 1:
            runs[-1] = Run(runs[-1].first, max(last, runs[-1].last), runs[-1].flush)
        else:
            runs.append(Run(first, last, flush=bool(runs) and not bool(table.clean[first])))
    return tuple(runs)
