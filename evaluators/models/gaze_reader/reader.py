"""One video, read once at one setting; every question about it is then answered from the same lines."""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.selectors import needs_of
from autogaze.tiling import TILE, Picture, Tiling
from evaluators.core.gaze_file import Recorder
from evaluators.core.memory import keep_freed
from evaluators.core.told import told_of
from evaluators.models.gaze_reader.frames import FrameSource
from evaluators.models.gaze_reader.gazing import Look, Looker, selector_of
from evaluators.models.gaze_reader.ocr import Engine, Text
from evaluators.models.gaze_reader.options import Line
from evaluators.models.gaze_reader.packing import GAP, Placement, pack
from evaluators.models.gaze_reader.regions import Mask, ReadMemory, lettering, patch_boxes
from evaluators.models.gaze_reader.settings import ReaderSettings

FLUSH_PIXELS = 8_000_000
"""Regions of several frames wait until they make a few canvases; more would only take memory."""
SHARP_ENOUGH = 0.6
"""Share of a line's box to be gazed at its scale; below it the line was not really looked at."""


@dataclass(frozen=True)
class Reading:
    """lines: all text read, in order of frames. details: what it took, JSON values, for the record."""

    lines: list[Line]
    details: dict[str, Any]


@dataclass(frozen=True)
class Region:
    """A rectangle of a view that waits to be read: its corner and pixels, and the patches seen in the view."""

    frame: int
    scale: int
    left: int
    top: int
    pixels: Picture
    seen: Mask


def read_video(
    path: Path, settings: ReaderSettings, cache: bool = True, question: str | None = None
) -> Reading:
    """Decode, gaze, rebuild and read. question: the text asked, for a selector that is query-aware.

    Raises RunError (more frames than the video has, no OCR engine) and VideoError (not decodable).
    """
    desk = Desk(engine())
    with FrameSource(path, settings.resolution, settings.frames, settings.sampling, cache) as source:
        tiling = Tiling.of(*source.size)
        needs = needs_of(selector_of(settings))
        looker = Looker(settings, tiling, told_of(source.video, source.indices, source.size, needs, question))
        recorder = Recorder.for_video(path)
        for look in looker.looks(source):
            if recorder:
                recorder.add(look.index, look.gaze.masks()[:, 0].numpy())
            desk.add(look)
        desk.read()
    details = _details(source, tiling, looker, desk)
    if recorder:
        rows, columns = tiling.layout
        details["gaze_file"] = recorder.save(
            rows=rows, columns=columns, size=source.size, scales=SCALES, patch=PATCH_SIZE
        )
    return Reading(desk.lines, details)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The OCR engine of this process, which keeps the memory that it has had."""
    keep_freed()
    return Engine()


@dataclass
class Desk:
    """Where regions are collected, packed and read."""

    engine: Engine
    lines: list[Line] = field(default_factory=list)
    waiting: list[Region] = field(default_factory=list)
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
        self.seconds += time.perf_counter() - started
        if sum(region.pixels.size // 3 for region in self.waiting) > FLUSH_PIXELS:
            self.read()

    def read(self) -> None:
        """Read all that waits."""
        started = time.perf_counter()
        crops = [region.pixels for region in self.waiting]
        found: list[Line] = []
        for sheet in pack([crop.shape[:2] for crop in crops]):
            self.pixels += sheet.width * sheet.height
            for text in self.engine.read(sheet.draw(crops)):
                x, y = (text.box[0] + text.box[2]) / 2, (text.box[1] + text.box[3]) / 2
                place = sheet.find(x, y)
                line = _line(text, place, self.waiting[place.item]) if place else None
                if line and line.sharp >= SHARP_ENOUGH:
                    found.append(line)
        self.regions += len(crops)
        self.waiting.clear()
        self.lines += sorted(found, key=lambda line: (line.frame, line.box[1], line.box[0]))
        self.seconds += time.perf_counter() - started


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


def _details(source: FrameSource, tiling: Tiling, looker: Looker, desk: Desk) -> dict[str, Any]:
    """What was asked, what was really seen and what it cost."""
    height, width = source.size
    return {
        "frames": len(source.indices),
        "frame_indices": source.indices,
        "sampling": source.sampling,
        "resolution_asked": source.resolution,
        "pixels": [height, width],
        "pixels_native": list(source.native),
        "tiles": tiling.count,
        "tokens_selected": looker.tokens_selected,
        "tokens_valid": looker.tokens_valid,
        "tokens_with_padding": looker.tokens_all,
        "ratio_of_valid": looker.tokens_selected / looker.tokens_valid,
        "ratio_with_padding": looker.tokens_selected / looker.tokens_all,
        "selector": looker.selector.settings(),
        **({"query_aware": True} if "question" in needs_of(looker.selector) else {}),
        "decoder": source.decoder,
        "frames_from_cache": source.from_cache,
        "ocr": desk.engine.version,
        "ocr_regions": desk.regions,
        "ocr_megapixels": round(desk.pixels / 1e6, 3),
        "seconds": {
            "decode": round(source.seconds, 3),
            **{stage: round(value, 3) for stage, value in looker.seconds.items()},
            "ocr": round(desk.seconds, 3),
        },
    }
