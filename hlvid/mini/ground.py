"""The road surface in perspective, moving towards the camera: asphalt with lane marks between mown verges.

A flat ground seen by a pinhole camera: the row `r` px below the horizon shows the ground at distance FH / r
metres, each metre r / H px wide. Rows are gathered from a top view of the ground with integer indices;
coarser copies serve the distance.
"""

import numpy as np
from numpy.typing import NDArray

from hlvid.mini.canvas import Planes, yuv_of
from hlvid.mini.texture import RGB, asphalt, grass

HORIZON = 1060  # px from the top
H = 3.5  # camera height, m
F = 3200  # focal length, px
SPEED = 14.0  # m/s
TEXELS = 96  # per metre of the top view
HALF_WIDTH, LENGTH = 12, 16  # metres of top view: to each side, and along before it repeats mirrored
LANE = 3.6  # metres
LEVELS = 5

Plane = NDArray[np.uint8]


class Ground:
    """Top views at several resolutions, and which of their texels each pixel shows."""

    def __init__(self, seed: int, height: int = 2160, width: int = 3840) -> None:
        """Prepare for frames of `height` x `width`."""
        self._levels = _pyramid(_top_view(seed))
        below = np.arange(height - HORIZON)
        self._luma = [_row(int(r), width, 1) for r in below]
        self._chroma = [_row(int(r), width, 2) for r in below[::2]]

    def paint(self, frame: Planes, t: float) -> None:
        """Fill the rows below the horizon as seen at second `t`."""
        driven = int(SPEED * t * TEXELS)
        for offset, (level, along, across) in enumerate(self._luma):
            y = self._levels[level][0]
            y[((along + driven) >> level) % len(y)].take(across, out=frame.y[HORIZON + offset], mode="clip")
        for offset, (level, along, across) in enumerate(self._chroma):
            _, u, v = self._levels[level]
            row = ((along + driven) >> (level + 1)) % len(u)
            u[row].take(across, out=frame.u[HORIZON // 2 + offset], mode="clip")
            v[row].take(across, out=frame.v[HORIZON // 2 + offset], mode="clip")


def _row(r: int, width: int, subsampling: int) -> tuple[int, int, NDArray[np.intp]]:
    """For the row `r` px below the horizon: (level, texels along at level 0, texel indices across)."""
    r = max(r, 4)
    texel = TEXELS * H / r  # texels of level 0 per px of luma
    level = min(max(int(texel * 1.5), 1).bit_length() - 1, LEVELS - 1)
    along = int(F * H / r * TEXELS)
    pixels = np.arange(0, width, subsampling, dtype=np.int64) * 2 - width + 1
    fixed = int(texel * 32768)  # 1/65536 texels per half px
    across = (pixels * fixed) >> 16
    edge, road = HALF_WIDTH * TEXELS, 8 * TEXELS
    outside = np.abs(across) >= edge  # beyond the top view the verge repeats
    folded = road + (np.abs(across) - road) % (edge - road)
    across = np.where(outside, np.sign(across) * folded, across) + edge
    return level, along, (across >> (level + subsampling - 1)).astype(np.intp)


def _top_view(seed: int) -> RGB:
    """RGB (2 LENGTH, 2 HALF_WIDTH) in texels: the ground from above, seamless along its length."""
    rows, columns = LENGTH * TEXELS, 2 * HALF_WIDTH * TEXELS
    view = grass(seed, rows, columns)
    middle, half = columns // 2, int(1.5 * LANE * TEXELS) + 60
    view[:, middle - half : middle + half] = asphalt(seed + 1, rows, 2 * half)
    view = np.concatenate([view, view[::-1]])
    for lane in (-1.5, -0.5, 0.5, 1.5):
        x = middle + int(lane * LANE * TEXELS)
        marks = view[:, x - 8 : x + 8].reshape(4, -1, 16, 3)
        dash = marks.shape[1] if abs(lane) > 1 else marks.shape[1] * 3 // 8
        marks[:, :dash] = marks[:, :dash] // 5 + 184
    return view


def _pyramid(view: RGB) -> list[tuple[Plane, Plane, Plane]]:
    levels = []
    for _ in range(LEVELS):
        levels.append(yuv_of(view))
        total = sum(view[i::2, j::2].astype(np.uint16) for i in (0, 1) for j in (0, 1))
        view = (np.asarray(total) // 4).astype(np.uint8)
    return levels
