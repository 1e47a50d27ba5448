"""One video, read once at one setting; every question about it is then answered from the same lines.

Example::

    reading = read_video(Path("clip.mp4"), ReaderSettings(resolution=1792, ratio=0.25, frames=12))
    [line.text for line in reading.lines]         # ["DL3", "EXIT 12", ...]
    reading.details["seconds"]                    # {"decode": 1.9, "select": 0.8, "rebuild": 0.6, "ocr": 2.1}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.selectors import needs_of
from autogaze.selectors.told import Told
from autogaze.tiling import Tiling
from evaluators.core.gaze_file import Recorder
from evaluators.models.gaze_reader.desk import Desk, readers
from evaluators.models.gaze_reader.frames import FrameSource
from evaluators.models.gaze_reader.looking import Looker, selector_of
from evaluators.models.gaze_reader.options import Line
from evaluators.models.gaze_reader.settings import ReaderSettings
from hlvid.video.motion import block_maps


@dataclass(frozen=True)
class Reading:
    """lines: all text read, in order of frames. details: what it took, JSON values, for the record."""

    lines: list[Line]
    details: dict[str, Any]


def read_video(
    path: Path, settings: ReaderSettings, cache: bool = True, question: str | None = None
) -> Reading:
    """Decode, gaze, rebuild and read. question: the text asked, for a selector that is query-aware.

    Raises RunError (more frames than the video has, no OCR engine) and VideoError (not decodable).
    """
    desk = Desk(readers())
    with FrameSource(path, settings.resolution, settings.frames, settings.sampling, cache) as source:
        tiling = Tiling.of(*source.size)
        looker = Looker(settings, tiling, _told(source, settings, question))
        recorder = Recorder.for_video(path)
        for look in looker.looks(source):
            if recorder:
                recorder.add(look.index, look.gaze.masks()[:, 0].numpy())
            desk.add(look)
        lines = desk.finish()
    details = _details(source, tiling, looker, desk)
    if recorder:
        rows, columns = tiling.layout
        details["gaze_file"] = recorder.save(
            rows=rows, columns=columns, size=source.size, scales=SCALES, patch=PATCH_SIZE
        )
    return Reading(lines, details)


def _told(source: FrameSource, settings: ReaderSettings, question: str | None) -> Told:
    """What the selector may ask for beside pixels; the codec is asked only where it is needed."""
    codec = "codec" in needs_of(selector_of(settings))
    maps = block_maps(source.path, source.indices, source.size) if codec else None
    return Told(source.video.timestamps, maps, question)


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
        "ocr": desk.readers.version,
        "ocr_regions": desk.regions,
        "ocr_megapixels": round(desk.pixels / 1e6, 3),
        "seconds": {
            "decode": round(source.seconds, 3),
            **{stage: round(value, 3) for stage, value in looker.seconds.items()},
            "ocr": round(desk.seconds, 3),
        },
    }
