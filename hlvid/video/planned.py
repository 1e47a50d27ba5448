"""Decoding by plan: the packets that a few frames need, and proof on the way that the file is as its index says.

Packets have to be those of the table, frames have to come in the order that the table gives, and none may be
marked as damaged by the decoder; at the first contradiction WrongIndexError says how.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from hlvid.video.packets import PacketTable
from hlvid.video.plan import Plan, Run

FAR = 16 * 2**20
"""Bytes that are cheaper to read past than a seek, which has to empty the decoder first."""


class WrongIndexError(Exception):
    """The file contradicts its index; the message says how."""


def decode_planned(
    container: Any, stream: Any, decoder: Any, table: PacketTable, plan: Plan
) -> Iterator[Any]:
    """Run the decoder over the plan's packets; frames come in presentation order."""
    import av

    try:
        expected: list[int] = []
        last = None
        for frame in _decode(container, stream, decoder, table, plan, expected):
            _check(frame, expected, last)
            last = frame.pts
            yield frame
        if expected:
            raise WrongIndexError("a frame is in the index but does not decode")
    except av.error.FFmpegError as error:
        raise WrongIndexError(f"decoding fails ({error.strerror})") from error


def _check(frame: Any, expected: list[int], last: int | None) -> None:
    """The frame has to be the next one that the packets given so far promise."""
    if frame.is_corrupt:
        raise WrongIndexError("a frame is damaged")
    if not expected or frame.pts != min(expected) or (last is not None and frame.pts <= last):
        raise WrongIndexError("frames come in another order than their time stamps")
    expected.remove(frame.pts)


def _decode(
    container: Any, stream: Any, decoder: Any, table: PacketTable, plan: Plan, expected: list[int]
) -> Iterator[Any]:
    reader = _Reader(container, stream, table)
    for run in plan.runs:
        far = reader.distance(run.first) > FAR
        if run.flush or far:
            yield from decoder.decode(None)
            decoder.flush_buffers()
        if far:
            reader.seek(run.first)
        yield from _run(reader, decoder, run, plan, table, expected)
    yield from decoder.decode(None)


def _run(
    reader: "_Reader", decoder: Any, run: Run, plan: Plan, table: PacketTable, expected: list[int]
) -> Iterator[Any]:
    for number, packet in reader.read(run.first, run.last):
        if plan.needed[number]:
            if not table.hidden[number]:
                expected.append(int(table.pts[number]))
            yield from decoder.decode(packet)


class _Reader:
    """Hands out packets by number, and checks that the file agrees with the table about them."""

    def __init__(self, container: Any, stream: Any, table: PacketTable) -> None:
        self._container, self._stream, self._table = container, stream, table
        self._packets = container.demux(stream)
        self._next = 0

    def distance(self, number: int) -> int:
        """Bytes of video between here and packet `number`."""
        return int(self._table.size[self._next : number].sum())

    def seek(self, number: int) -> None:
        """Go to packet `number`, or to one before it. The decoder must be empty: PyAV flushes it."""
        self._container.seek(int(self._table.seek[number]), stream=self._stream, backward=True)
        self._packets = self._container.demux(self._stream)
        packet = next(self._packets, None)
        found = self._table.pts == (packet.pts if packet is not None and packet.size else None)
        if not np.any(found) or np.argmax(found) > number:
            raise WrongIndexError("seeking leads to the wrong place")
        self._next = int(np.argmax(found))
        self._packets = chain([packet], self._packets)

    def read(self, first: int, last: int) -> Iterator[tuple[int, Any]]:
        """(number, packet) from `first` to `last`, both included, reading past those before `first`."""
        while self._next <= last:
            number, packet = self._next, next(self._packets, None)
            if packet is None or packet.pts != self._table.pts[number]:
                raise WrongIndexError(f"packet {number} is not the one in the index")
            self._next += 1
            if number >= first:
                yield number, packet
