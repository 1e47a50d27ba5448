"""Regions of gazed frames are packed on canvases and read, canvas beside canvas, while the next frames are gazed at.

Example::

    desk = Desk(readers())
    for look in looker.looks(source):
        desk.add(look)
    desk.finish()            # [Line("DL3", ...), ...], in order of frames
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from autogaze.gaze import PATCH_SIZE
from autogaze.tiling import TILE
from evaluators.core.memory import keep_freed
from evaluators.models.gaze_reader.looking import Look
from evaluators.models.gaze_reader.ocr import Engine, Text
from evaluators.models.gaze_reader.options import Line
from evaluators.models.gaze_reader.packing import GAP, Placement, Sheet, pack
from evaluators.models.gaze_reader.regions import Mask, ReadMemory, lettering, patch_boxes

Picture = npt.NDArray[np.uint8]

FLUSH_PIXELS = 8_000_000
"""Regions of several frames wait until they make a few canvases; more would only take memory."""
SHARP_ENOUGH = 0.6
"""Share of a line's box to be gazed at its scale; below it the line was not really looked at."""
MOST = 4
"""Engines, each with memory of its own: some 300 MB."""


@dataclass(frozen=True)
class Region:
    """A rectangle of a view that waits to be read: its corner and pixels, and the patches seen in the view."""

    frame: int
    scale: int
    left: int
    top: int
    pixels: Picture
    seen: Mask


class Readers:
    """OCR engines side by side: a canvas on one core, for two cores on one canvas mostly wait for each other."""

    def __init__(self) -> None:
        keep_freed()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.count = min(cores, MOST)
        self._idle: SimpleQueue[Engine] = SimpleQueue()
        for _ in range(self.count):
            engine = Engine(threads=cores // self.count)
            self._idle.put(engine)
        self.version = engine.version
        self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="ocr")

    def read(self, canvas: Picture) -> list[Text]:
        """All lines of a canvas, by whichever engine is idle."""
        engine = self._idle.get()
        try:
            return engine.read(canvas)
        finally:
            self._idle.put(engine)

    def submit(self, sheet: Sheet, regions: Sequence[Region]) -> Future[list[Line]]:
        """The lines of a canvas, soon."""
        return self._pool.submit(self._lines, sheet, regions)

    def _lines(self, sheet: Sheet, regions: Sequence[Region]) -> list[Line]:
        found = []
        for text in self.read(sheet.draw([region.pixels for region in regions])):
            place = sheet.find((text.box[0] + text.box[2]) / 2, (text.box[1] + text.box[3]) / 2)
            line = _line(text, place, regions[place.item]) if place else None
            if line and line.sharp >= SHARP_ENOUGH:
                found.append(line)
        return found


@lru_cache(maxsize=1)
def readers() -> Readers:
    """This process's, which keep the memory that they have had."""
    return Readers()


@dataclass
class Desk:
    """Where a video's regions are collected.

    seconds: by which reading made the video take longer: the work on this side, and waiting for the readers.
    """

    readers: Readers
    waiting: list[Region] = field(default_factory=list)
    sent: list[list[Future[list[Line]]]] = field(default_factory=list)
    memories: dict[int, ReadMemory] = field(default_factory=dict)
    seconds: float = 0.0
    regions: int = 0
    pixels: int = 0

    def add(self, look: Look) -> None:
        """Queue what a frame shows, at any scale, that was not read before."""
        started = time.perf_counter()
        for view in look.views():
            memory = self.memories.setdefault(view.scale, ReadMemory(*view.picture.shape[:2]))
            worth = memory.fresh(view.picture, lettering(view.picture, view.seen))
            memory.remember(view.picture, worth)
            for box in patch_boxes(worth):
                left, top, right, bottom = (side * PATCH_SIZE for side in box)
                pixels = view.picture[top:bottom, left:right]
                self.waiting.append(Region(look.index, view.scale, left, top, pixels, view.seen))
        if sum(region.pixels.size // 3 for region in self.waiting) > FLUSH_PIXELS:
            self._send()
        self.seconds += time.perf_counter() - started

    def finish(self) -> list[Line]:
        """All lines, in order of frames."""
        started = time.perf_counter()
        self._send()
        lines: list[Line] = []
        for lot in self.sent:
            found = [line for sheet in lot for line in sheet.result()]
            lines += sorted(found, key=lambda line: (line.frame, line.box[1], line.box[0]))
        self.seconds += time.perf_counter() - started
        return lines

    def _send(self) -> None:
        """Have all that waits read, once the lot before the last is: two lots are the most in memory."""
        for sheet in self.sent[-2] if len(self.sent) > 1 else ():
            sheet.result()
        sheets = pack([region.pixels.shape[:2] for region in self.waiting])
        self.sent.append([self.readers.submit(sheet, self.waiting) for sheet in sheets])
        self.regions += len(self.waiting)
        self.pixels += sum(sheet.width * sheet.height for sheet in sheets)
        self.waiting = []


def _line(text: Text, place: Placement, region: Region) -> Line | None:
    """The text at its place in the frame; None where it runs into the neighbour on the canvas."""
    left, right = text.box[0] - place.left, text.box[2] - place.left
    if left < -GAP or right > place.width + GAP:
        return None
    top, bottom = text.box[1] - place.top, text.box[3] - place.top
    seen = (region.left + left, region.top + top, region.left + right, region.top + bottom)
    zoom = TILE / region.scale
    box = (seen[0] * zoom, seen[1] * zoom, seen[2] * zoom, seen[3] * zoom)
    return Line(text.text, text.score, region.frame, box, _sharp_share(region.seen, seen), bottom - top)


def _sharp_share(seen: Mask, box: tuple[float, float, float, float]) -> float:
    """The share of a box that lies on patches of `seen`."""
    xs = (np.arange(np.floor(box[0]), np.ceil(box[2])) // PATCH_SIZE).astype(int)
    ys = (np.arange(np.floor(box[1]), np.ceil(box[3])) // PATCH_SIZE).astype(int)
    xs, ys = xs.clip(0, seen.shape[1] - 1), ys.clip(0, seen.shape[0] - 1)
    return float(seen[np.ix_(ys, xs)].mean()) if len(xs) and len(ys) else 0.0
