"""The decoder of record: PyAV, one pass, and no more decoding than the frames asked for need.

Example::

    backend = PyavBackend(Path("clip.mp4"))
    for index, picture in backend.stream([10, 500], size=(504, 896)):
        ...

With a trusted index (see `hlvid.video.index`) whole GOPs are jumped over, frames that nobody asked for and
nobody refers to never reach the decoder, and only frames asked for are converted, at the size asked for.
Every packet and every frame is checked against the index on the way: at the first contradiction the file is
decoded from the start instead. Without a trusted index it is that from the beginning. Memory does not grow
with the number of frames.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hlvid.errors import VideoError
from hlvid.video.backends.base import Info, Size
from hlvid.video.index import PacketTable, load_index, relearn
from hlvid.video.picture import FILTER, Painter, Picture, Turn
from hlvid.video.plan import Plan, make_plan

THREAD_BYTES = 32 * 2**20
"""Each decoding thread holds a frame or two more, so by default these may add up to this: 2 threads at 4K."""

FAR = 16 * 2**20
"""Bytes that are cheaper to read past than a seek, which has to empty the decoder first."""


class _WrongIndexError(Exception):
    """The file contradicts its index; the message says how."""


class PyavBackend:
    """One file; see the module's docstring. Holds no open file between calls."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Raises VideoError, OSError or av's FFmpegError if the file holds no readable video."""
        self._path, self._threads = path, threads
        self._index = load_index(path)
        first, self._codec, self._rate = _probe(path, threads)
        if self._index.packets is not None and first.pts != self._index.pts[0]:
            self._index = relearn(path, fault="")
        self._turn = Turn.of(first)
        self._first = first.format.name, self._turn.shown(first.height, first.width)

    @property
    def info(self) -> Info:
        """What is known now; see `Info`."""
        index = self._index
        pix_fmt, (height, width) = self._first
        timestamps = (index.pts - index.pts[0]) * index.time_base
        fps = _average_rate(timestamps, self._rate)
        last = index.last_duration * index.time_base or (1 / fps if fps else 0.0)
        return Info(
            width=width,
            height=height,
            fps=fps,
            frame_count=index.count,
            duration=float(timestamps[-1]) + last,
            codec=self._codec,
            rotation=self._turn.degrees,
            pix_fmt=pix_fmt,
            decoder=describe(),
            timestamps=timestamps,
            notes=index.notes,
        )

    def close(self) -> None:
        """Nothing stays open between calls."""

    def stream(self, indices: Sequence[int], size: Size | None) -> Iterator[tuple[int, Picture]]:
        """(index, uint8 (height, width, 3)) for valid, ascending, distinct `indices`."""
        rest = list(indices)
        paint = self._painter(size)
        if rest and self._index.packets is not None:
            before = self._index.pts
            try:
                for index, frame in self._planned(self._index.packets, rest):
                    rest = rest[1:]
                    yield index, paint(index, frame)
            except _WrongIndexError as why:
                self._index = relearn(self._path, fault=str(why))
                done = [index for index in indices if index not in set(rest)]
                self._check_same(before, done)
        if rest:
            yield from ((index, paint(index, frame)) for index, frame in self._in_order(rest))

    def _painter(self, size: Size | None) -> Any:
        native = self._first[1]
        painter = Painter(size or native)

        def paint(index: int, frame: Any) -> Picture:
            shown = self._turn.shown(frame.height, frame.width)
            if size is None and shown != native:
                raise VideoError(
                    f"{self._path}: frame {index} is {shown[1]} x {shown[0]} px, the first one "
                    f"{native[1]} x {native[0]}; ask for one size (size=(height, width))"
                )
            return painter.paint(frame, self._turn)

        return paint

    def _check_same(self, before: Any, done: list[int]) -> None:
        """Frames already handed out have to be the same ones under the new index."""
        after = self._index.pts
        if any(index >= len(after) or after[index] != before[index] for index in done):
            raise VideoError(
                f"{self._path}: the container's index is wrong ({'; '.join(self._index.notes)}); "
                f"{len(after)} frames decode; read it again"
            )

    def _in_order(self, wanted: list[int]) -> Iterator[tuple[int, Any]]:
        """Decode from the start, count, and give the frames of `wanted` (ascending)."""
        if wanted[-1] >= self._index.count:
            raise VideoError(
                f"{self._path}: frame {wanted[-1]} asked, but only {self._index.count} frames decode"
                f" ({'; '.join(self._index.notes)}); sample again from frame_count"
            )
        remaining = set(wanted)
        with closing(decode_all(self._path, [], self._threads)) as frames:
            for index, frame in enumerate(frames):
                if index in remaining:
                    remaining.discard(index)
                    yield index, frame
                if not remaining:
                    return
        raise VideoError(f"{self._path}: frame {min(remaining)} no longer decodes; did the file change?")

    def _planned(self, table: PacketTable, wanted: list[int]) -> Iterator[tuple[int, Any]]:
        """Give the frames of `wanted` (ascending) by the least decoding, or raise _WrongIndexError."""
        import av

        stamps = self._index.pts[np.asarray(wanted, np.int64)]
        plan = make_plan(table, stamps)
        due = iter(zip(wanted, stamps.tolist(), strict=True))
        index, stamp = next(due)
        try:
            with av.open(str(self._path)) as container:
                for frame in _decode(container, table, plan, self._threads):
                    if frame.pts is None or frame.pts > stamp:
                        raise _WrongIndexError(f"frame {index} is in the index but does not decode")
                    if frame.pts == stamp:
                        yield index, frame
                        index, stamp = next(due, (-1, -1))
                        if index < 0:
                            return
        except av.error.FFmpegError as error:
            raise _WrongIndexError(f"decoding fails ({error.strerror})") from error
        raise _WrongIndexError(f"frame {index} is in the index but does not decode")


def _decode(container: Any, table: PacketTable, plan: Plan, threads: int | None) -> Iterator[Any]:
    """Run the decoder over the plan's packets; frames come in presentation order."""
    decoder = _prepare(container, threads)
    reader = _Reader(container, table)
    for run in plan.runs:
        far = reader.distance(run.first) > FAR
        if run.flush or far:
            yield from decoder.decode(None)
            decoder.flush_buffers()
        if far:
            reader.seek(run.first)
        for number, packet in reader.read(run.first, run.last):
            if plan.needed[number]:
                yield from decoder.decode(packet)
    yield from decoder.decode(None)


class _Reader:
    """Hands out packets by number, and checks that the file agrees with the table about them."""

    def __init__(self, container: Any, table: PacketTable) -> None:
        self._container, self._table = container, table
        self._stream = container.streams.video[0]
        self._packets = container.demux(self._stream)
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
            raise _WrongIndexError("seeking leads to the wrong place")
        self._next = int(np.argmax(found))
        self._packets = chain([packet], self._packets)

    def read(self, first: int, last: int) -> Iterator[tuple[int, Any]]:
        """(number, packet) from `first` to `last`, both included, reading past those before `first`."""
        while self._next <= last:
            number, packet = self._next, next(self._packets, None)
            if packet is None or packet.pts != self._table.pts[number]:
                raise _WrongIndexError(f"packet {number} is not the one in the index")
            self._next += 1
            if number >= first:
                yield number, packet


def decode_all(path: Path, notes: list[str], threads: int | None = None) -> Generator[Any, None, None]:
    """Every frame of a file in presentation order, by a plain decode that ends at the first error.

    What ended it early is appended to `notes`. Raises FFmpegError or VideoError if the file does not open.
    """
    import av

    with av.open(str(path)) as container:
        _prepare(container, threads)
        try:
            yield from container.decode(video=0)
        except av.error.FFmpegError as error:
            notes.append(f"decoding stops early ({error.strerror})")


def describe() -> str:
    """Everything that decides about pixels: PyAV's, libav's and the scaler's versions."""
    import av

    parts = (f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in _LIBRARIES)
    return f"pyav {av.__version__} ({', '.join(parts)}, {FILTER.lower()})"


_LIBRARIES = ("libavcodec", "libavformat", "libswscale")


def _prepare(container: Any, threads: int | None) -> Any:
    """Set up threads; gives the decoder of the first video stream."""
    decoder = container.streams.video[0].codec_context
    decoder.thread_type = "AUTO"
    decoder.thread_count = threads or _threads_for(decoder)
    return decoder


def _threads_for(decoder: Any) -> int:
    """As many threads as there are cores, at most 8, and at 4K only 2: that keeps it below 300 MB."""
    deep = decoder.format is not None and any(part.bits > 8 for part in decoder.format.components)
    frame_bytes: int = max(1, decoder.width * decoder.height) * 3 // 2 * (2 if deep else 1)
    return min(os.cpu_count() or 1, 8, max(2, THREAD_BYTES // frame_bytes))


def _probe(path: Path, threads: int | None) -> tuple[Any, str, float]:
    """The first frame, the codec's name and the average frame rate that the container declares (0 if none)."""
    import av

    with av.open(str(path)) as container:
        _prepare(container, threads)
        stream = container.streams.video[0]
        first = next(container.decode(video=0), None)
        if first is None:
            raise VideoError(f"{path}: no frame decodes; fetch the file again")
        return first, str(stream.codec_context.codec.canonical_name), float(stream.average_rate or 0)


def _average_rate(timestamps: Any, declared: float) -> float:
    """Frames per second: the declared (exact) rate where the time stamps bear it out, else theirs."""
    if len(timestamps) < 2 or timestamps[-1] <= 0:
        return declared
    measured = (len(timestamps) - 1) / float(timestamps[-1])
    return declared if abs(declared - measured) < 0.01 * measured else measured
