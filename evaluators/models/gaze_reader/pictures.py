"""A frame as it was, and where a selector looked at it."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.tiling import TILE, Tiling
from evaluators.models.gaze_reader.gazing import Look, Looker
from evaluators.models.gaze_reader.settings import ReaderSettings
from hlvid.errors import RunError
from hlvid.video import Video
from hlvid.video.tiles import fit_long_side

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

COLOURS: dict[int, Colour] = {
    32: (58, 134, 255),
    64: (6, 214, 160),
    112: (239, 71, 111),
    224: (255, 209, 102),
}
"""RGB of each scale: cool for coarse, warm for fine; told apart with red-green blindness too."""

LIGHT = {32: 0.35, 64: 0.5, 112: 0.68, 224: 0.95}
TINT = 0.1
"""How bright a patch of each scale is drawn, and how much of its colour is added."""


def look_at(path: Path, frame: int, settings: ReaderSettings) -> tuple[Look, Tiling, Looker]:
    """The look at frame number `frame`, with the tiling and the counts of that frame alone."""
    with Video.open(path) as video:
        if not 0 <= frame < video.frame_count:
            raise RunError(f"{path.name}: frame {frame} asked; allowed: 0 to {video.frame_count - 1}")
        size = fit_long_side(video.width, video.height, settings.resolution)
        tiling = Tiling.of(*size)
        looker = Looker(settings, tiling)
        history = looker.selector.history
        if history is None:
            history = min(frame, (looker.selector.clip_frames or frame + 1) - 1)
        frames = list(video.stream(range(max(0, frame - history), frame + 1), size))
    *_, look = looker.looks(frames)
    looker.tokens_selected //= len(frames)
    looker.tokens_valid //= len(frames)
    return look, tiling, looker


def overlay(look: Look, tiling: Tiling) -> Picture:
    """uint8 (H, W, 3): the dimmed frame; gazed patches lit, the finer the brighter, framed in their scale's colour.

    Each pixel is drawn as the finest patch that covers it.
    """
    height, width = look.original.shape[:2]
    grey = look.original.astype(np.float32).mean(-1, keepdims=True)
    canvas = np.repeat(grey * 0.22 + 10, 3, axis=-1)
    for scale, mask in zip(SCALES, look.gaze.scale_masks(), strict=True):
        cell = TILE // (scale // PATCH_SIZE)
        grid = tiling.join_patches(mask)[0]
        seen = grid.repeat(cell, 0).repeat(cell, 1)[:height, :width]
        colour, light = np.array(COLOURS[scale], np.float32), LIGHT[scale]
        canvas[seen] = look.original[seen] * light + colour * TINT
        edges = _outline(grid, cell, max(1, round(width / 1200)))[:height, :width]
        canvas[edges] = colour * (0.5 + light / 2)
    picture: Picture = np.clip(canvas, 0, 255).astype(np.uint8)
    return picture


def _outline(grid: npt.NDArray[np.bool_], cell: int, line: int) -> npt.NDArray[np.bool_]:
    """The border of the union of a scale's patches, `line` px wide, inside the patches."""
    seen = np.pad(grid.repeat(cell, 0).repeat(cell, 1), 1).astype(np.uint8)
    kernel = np.ones((2 * line + 1, 2 * line + 1), np.uint8)
    inner: Picture = cv2.erode(seen, kernel)
    border: npt.NDArray[np.bool_] = (seen > inner)[1:-1, 1:-1]
    return border
