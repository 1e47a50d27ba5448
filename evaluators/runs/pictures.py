"""The pictures of a report: frames as they were sampled, and where the model looked as a layer above each.

Frames come from the indices that the run recorded, gazes from the file that the model wrote; nothing is selected
anew. A gaze is a PNG over the frame, so that a page can switch it on and off: a veil that is the thinner, the finer
the scale at which somebody looked there. Pictures that are there already are kept.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from autogaze.palette import COLOURS
from evaluators.core.gaze_file import GazeFile, load
from evaluators.runs.files import GAZE, PICTURES
from hlvid.video import Video
from hlvid.video.picture import Picture
from hlvid.video.tiles import fit_long_side

WIDTH = 960
"""Long side of a picture in px."""
MOST = 12
"""Pictures of one video; of more frames, these are spread evenly."""

UNSEEN = 196
VEILS = (150, 112, 66, 0)
EDGES = (110, 190, 255, 255)
"""Opacity (0 to 255) of the veil where nobody looked, of each scale's, coarse to fine, and of the line around
its patches: the finer somebody looked, the clearer the picture."""
SHADE = 0.22
"""A veil has its scale's colour, this bright."""


@dataclass
class Album:
    """The pictures of one run's folder."""

    folder: Path
    _shots: dict[tuple[str, tuple[int, ...]], list[dict[str, Any]]] = field(default_factory=dict, init=False)

    def shots(self, video: Path, details: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Of the frames that a sample's details name: file, gaze (or None), frame, seconds.

        An empty list where the details name none, or the video is not there any more.
        """
        indices = spread(frame_indices(details))
        if not indices or not video.is_file():
            return []
        key = (str(video), tuple(indices))
        if key not in self._shots:
            gaze_file = details.get("gaze_file")
            self._shots[key] = self._make(video, indices, self._gazes(gaze_file))
        return self._shots[key]

    def _gazes(self, name: str | None) -> GazeFile | None:
        path = self.folder / GAZE / (name or "")
        return load(path) if name and path.is_file() else None

    def _make(self, video: Path, indices: Sequence[int], gazes: GazeFile | None) -> list[dict[str, Any]]:
        digits = hashlib.sha256(str(video).encode()).hexdigest()[:8]
        stems = {index: f"{PICTURES}/{_safe(video.stem)}-{digits}-{index:06d}" for index in indices}
        (self.folder / PICTURES).mkdir(exist_ok=True)
        with Video.open(video) as opened:
            size = fit_long_side(opened.width, opened.height, WIDTH)
            absent = [index for index in indices if not (self.folder / f"{stems[index]}.jpg").is_file()]
            for index, picture in opened.stream(absent, size) if absent else ():
                _write(self.folder / f"{stems[index]}.jpg", picture[..., ::-1], cv2.IMWRITE_JPEG_QUALITY, 84)
            fps = opened.fps
        shots = []
        for index in indices:
            gaze = None
            if gazes is not None and index in gazes.masks:
                gaze = f"{stems[index]}-gaze.png"
                layer = gaze_layer(gazes, index, size)
                _write(self.folder / gaze, layer[..., [2, 1, 0, 3]], cv2.IMWRITE_PNG_COMPRESSION, 9)
            shot = {"file": f"{stems[index]}.jpg", "gaze": gaze, "frame": index, "seconds": index / fps}
            shots.append({**shot, "width": size[1], "height": size[0]})
        return shots


def frame_indices(details: Mapping[str, Any]) -> list[int]:
    """The frames that a sample's details name, each once, ascending."""
    named = details.get("frame_indices") or details.get("indices") or ()
    return sorted({int(index) for index in named})


def spread(indices: Sequence[int], most: int = MOST) -> list[int]:
    """At most `most` of them, evenly, first and last included."""
    if len(indices) <= most:
        return list(indices)
    places = np.linspace(0, len(indices) - 1, most).round().astype(int)
    return [indices[place] for place in places]


def gaze_layer(gazes: GazeFile, index: int, size: tuple[int, int]) -> Picture:
    """The gaze at a frame as an RGBA layer, uint8 (*size, 4), over a picture of (height, width) `size`.

    Each pixel is drawn as the finest patch that covers it; a line runs around each scale's patches.
    """
    layer = np.zeros((*size, 4), np.uint8)
    layer[..., 3] = UNSEEN
    for scale, cells in zip(_scales(len(gazes.sides)), gazes.cells(index), strict=True):
        seen = _to_pixels(cells, gazes, size)
        veil = [round(SHADE * part) for part in COLOURS[scale]]
        layer[seen] = (*veil, VEILS[scale])
        layer[_outline(seen)] = (*COLOURS[scale], EDGES[scale])
    return layer


def _scales(count: int) -> list[int]:
    """Places in the tables of colours, one a scale; the finest is always the last."""
    return [max(0, place) for place in range(len(COLOURS) - count, len(COLOURS))]


def _outline(seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The border of a mask, a pixel wide, inside it."""
    inner = cv2.erode(np.pad(seen, 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    border: npt.NDArray[np.bool_] = seen & ~np.asarray(inner, bool)[1:-1, 1:-1]
    return border


def _to_pixels(cells: npt.NDArray[np.bool_], gazes: GazeFile, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which pixels of a picture of `size` lie in the patches; the tiles' padding is cut off."""
    height, width = gazes.size
    rows = (np.arange(size[0]) + 0.5) * height / size[0] * cells.shape[0] / (gazes.rows * gazes.tile)
    columns = (np.arange(size[1]) + 0.5) * width / size[1] * cells.shape[1] / (gazes.columns * gazes.tile)
    seen: npt.NDArray[np.bool_] = cells[np.ix_(rows.astype(int), columns.astype(int))]
    return seen


def _safe(stem: str) -> str:
    """For a file's name that needs no quoting in an address."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_-") else "_" for sign in stem)[:60]


def _write(path: Path, picture: Picture, flag: int, value: int) -> None:
    done, data = cv2.imencode(path.suffix, np.ascontiguousarray(picture), [flag, value])
    if not done:
        raise ValueError(f"{path.name}: shape {picture.shape} could not be written")
    path.write_bytes(bytes(data))
