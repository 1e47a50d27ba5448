"""One frame of a large video, gazed tile by tile: for the figures that show a 4K frame.

Example::

    seen = look(selector, Path("clip.mp4"), ratio=0.1, width=1344)
    seen.gazed                    # uint8 (756, 1344, 3)
    seen.tokens, seen.all_tokens  # (24, 44, 171, 371), 6095: per scale, and all that show picture
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from analysis.studies.pictures import gazed
from analysis.studies.scenes import Pictures
from autogaze.anyres import cut, tile_boxes
from autogaze.gaze import SCALES, Boxes
from autogaze.selectors.base import Selector
from hlvid.video import Video
from hlvid.video.tiles import fit_long_side


@dataclass(frozen=True)
class Seen:
    """frame, gazed: uint8 (H, W, 3). tokens: gazed, per scale. all_tokens: that show picture. at: frame number."""

    frame: Pictures
    gazed: Pictures
    tokens: tuple[int, ...]
    all_tokens: int
    at: int


def look(selector: Selector, path: Path, ratio: float, width: int, at: int | None = None) -> Seen:
    """Gaze at frame `at` (default: the middle one) of a video, its long side scaled to `width` px.

    Selectors with a history see the frame before, too.
    """
    with Video.open(path) as video:
        at = video.frame_count // 2 if at is None else at
        size = fit_long_side(video.width, video.height, min(width, max(video.width, video.height)))
        before = [max(0, at - 1)] if selector.history != 0 else []
        frames = video.frames([*before, at], size)
    tiles, rows, columns, valid = cut(torch.from_numpy(frames))
    with torch.no_grad():
        gaze = selector.select(tiles, ratio=ratio, valid=valid, layout=(rows, columns))
    boxes = gaze.boxes(tile_boxes(rows, columns))
    last = boxes.frame == len(frames) - 1
    mine = Boxes(*(part[last] for part in boxes))
    tokens = tuple(int((mine.scale == k).sum()) for k in range(len(SCALES)))
    picture = gazed(np.ascontiguousarray(frames[-1]), mine, factor=1)
    return Seen(frames[-1], picture, tokens, int(valid.sum()), at)
