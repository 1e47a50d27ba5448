"""The decoder of record: PyAV, one pass, and no more decoding than the frames asked for need.

With a trusted index (see `hlvid.video.index`) whole GOPs are jumped over, frames that nobody asked for and
nobody refers to never reach the decoder, and only frames asked for are converted, at the size asked for.
Every packet and every frame is checked against the index on the way (`hlvid.video.planned`): at the first
contradiction the file is decoded from the start instead, by one thread, going on behind what is damaged.
Without a trusted index it is decoded from the start anyway. Memory does not grow with the number of frames.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hlvid.errors import VideoError
from hlvid.video.decoding import Log, decode_all, prepare
from hlvid.video.index import load_index, relearn
from hlvid.video.packets import PacketTable
from hlvid.video.picture import FILTER, Painter, Picture, Size
from hlvid.video.plan import make_plan
from hlvid.video.planned import WrongIndexError, decode_planned
from hlvid.video.streams import open_file

View = Callable[[Size | None], Picture]
"""A decoded frame: uint8 (height, width, 3) RGB at the size asked for, None for the video's own."""


class PyavReader:
    """One stream of one file; see the module's docstring. Holds no open file between calls.

    index: what is known of the stream by now.
    """

    def __init__(self, path: Path, threads: int | None = None, stream: int | None = None) -> None:
        """Raises VideoError, OSError or av's FFmpegError if the file holds no readable video."""
        self._path, self._threads, self._wanted = path, threads, stream
        self.index = load_index(path, stream)

    def views(self, indices: Sequence[int]) -> Iterator[tuple[int, View]]:
        """(index, view) for valid, ascending, distinct `indices`."""
        rest = list(indices)
        view = self._painter()
        if rest and self.index.packets is not None:
            before = self.index.pts
            try:
                for index, frame in self._planned(self.index.packets, rest):
                    rest = rest[1:]
                    yield index, partial(view, index, frame)
            except WrongIndexError as why:
                self.index = relearn(self._path, self._wanted, fault=str(why))
                done = [index for index in indices if index not in set(rest)]
                self._check_same(before, done)
        if rest:
            yield from ((index, partial(view, index, frame)) for index, frame in self._in_order(rest))

    def _painter(self) -> Callable[[int, Any, Size | None], Picture]:
        """Paints frames of this video, with one painter a size."""
        shape = self.index.shape
        painters: dict[Size | None, Painter] = {}

        def paint(index: int, frame: Any, size: Size | None) -> Picture:
            if size is None and (frame.height, frame.width) != (shape.height, shape.width):
                raise VideoError(
                    f"{self._path}: frame {index} is {frame.width} x {frame.height} px, the first one "
                    f"{shape.width} x {shape.height}; ask for one size (size=(height, width))"
                )
            if size not in painters:
                painters[size] = Painter(size or shape.shown, shape)
            return painters[size].paint(frame)

        return paint

    def _check_same(self, before: Any, done: list[int]) -> None:
        """Frames already handed out have to be the same ones under the new index."""
        after = self.index.pts
        if any(index >= len(after) or after[index] != before[index] for index in done):
            raise VideoError(
                f"{self._path}: the container's index is wrong ({'; '.join(self.index.notes)}); "
                f"{len(after)} frames decode; read it again"
            )

    def _in_order(self, wanted: list[int]) -> Iterator[tuple[int, Any]]:
        """Decode from the start, count, and give the frames of `wanted` (ascending)."""
        if wanted[-1] >= self.index.count:
            raise VideoError(
                f"{self._path}: frame {wanted[-1]} asked, but only {self.index.count} frames decode"
                f" ({'; '.join(self.index.notes)}); sample again from frame_count"
            )
        remaining = set(wanted)
        threads = self.index.threads or self._threads
        with closing(decode_all(self._path, self.index.stream, threads, Log())) as frames:
            for index, frame in enumerate(frames):
                if index in remaining:
                    remaining.discard(index)
                    yield index, frame
                if not remaining:
                    return
        raise VideoError(f"{self._path}: frame {min(remaining)} no longer decodes; did the file change?")

    def _planned(self, table: PacketTable, wanted: list[int]) -> Iterator[tuple[int, Any]]:
        """Give the frames of `wanted` (ascending) by the least decoding, or raise WrongIndexError.

        A frame may refer to one that is shown later, so it is held back until that one has proved to be whole.
        """
        stamps = self.index.pts[np.asarray(wanted, np.int64)]
        due = dict(zip(stamps.tolist(), wanted, strict=True))
        held: deque[tuple[int, Any]] = deque()
        with open_file(self._path) as container:
            stream = container.streams[self.index.stream]
            # Of several threads libav forgets now and then to mark a damaged frame (5 of 150 decodes of one file).
            decoder = prepare(stream, 1 if self.index.notes else self._threads)
            depth = decoder.has_b_frames
            frames = decode_planned(container, stream, decoder, table, make_plan(table, stamps))
            for seen, frame in enumerate(frames):
                while held and held[0][0] < seen - depth:
                    _, ready = held.popleft()
                    yield ready
                if frame.pts in due:
                    held.append((seen, (due.pop(frame.pts), frame)))
        yield from (ready for _, ready in held)
        if due:
            raise WrongIndexError(f"frame {min(due.values())} is in the index but does not decode")


def describe() -> str:
    """Everything that decides about pixels: PyAV's, libav's and the scaler's versions."""
    import av

    parts = (f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in _LIBRARIES)
    return f"pyav {av.__version__} ({', '.join(parts)}, {FILTER.lower()})"


_LIBRARIES = ("libavcodec", "libavformat", "libswscale")
