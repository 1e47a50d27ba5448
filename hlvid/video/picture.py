"""From a decoded frame to the uint8 RGB array that a model sees: colours, size, rotation.

One call of libswscale converts and resizes, straight from the decoder's planes. Its filter is bicubic
(widened when shrinking, so nothing aliases), the colour matrix and range are those the file declares
(BT.601 where it says nothing): bit for bit what `ffmpeg -pix_fmt rgb24` gives. HDR is not tone-mapped. The
file's sample aspect ratio is part of the size; its rotation, or mirroring, is applied last, on the finished
array. A frame whose shape differs from the first one's keeps it, between black bars.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Size = tuple[int, int]
"""(height, width) in pixels, as shown."""

FILTER = "BICUBIC"
_SWS_DEFAULT = 5  # BT.601; also "leave it" for a target that is RGB anyway
_SWS_MATRICES = {1: 1, 4: 4, 7: 7, 9: 9}  # AVCOL_SPC_* -> SWS_CS_*: BT.709, FCC, SMPTE 240M, BT.2020
_FULL_RANGE, _VIDEO_RANGE = 2, 1
SAME_SHAPE = 0.01
"""Frames whose shape differs by less are scaled alike: sizes are rounded to whole blocks."""


@dataclass(frozen=True)
class Turn:
    """How the stored picture becomes the shown one: transpose first, then flips."""

    degrees: int = 0
    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, frame: Any) -> "Turn":
        """From the frame's display matrix, if it has one that turns by whole quarters."""
        for data in frame.side_data:
            if data.type.name == "DISPLAYMATRIX":
                a, b, _, c, d = (int(v) for v in np.frombuffer(bytes(data), np.int32)[:5])
                return cls.from_matrix(a, b, c, d, degrees=round(-float(frame.rotation)) % 360)
        return cls()

    @classmethod
    def from_matrix(cls, a: int, b: int, c: int, d: int, degrees: int = 0) -> "Turn":
        """Stored (x, y) is shown at (a x + c y, b x + d y) up to a shift; other angles are left alone."""
        if a == d == 0 and b and c:
            return cls(degrees, transpose=True, flip_x=c < 0, flip_y=b < 0)
        if b == c == 0 and a and d:
            return cls(degrees, transpose=False, flip_x=a < 0, flip_y=d < 0)
        return cls()

    def shown(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) stored -> shown, or back: the two are each other's inverse."""
        return (width, height) if self.transpose else (height, width)

    def apply(self, picture: Picture) -> Picture:
        """Turn an (H, W, 3) array; contiguous if anything had to move."""
        if not (self.transpose or self.flip_x or self.flip_y):
            return picture
        turned = picture.transpose(1, 0, 2) if self.transpose else picture
        turned = turned[:, ::-1] if self.flip_x else turned
        return np.ascontiguousarray(turned[::-1] if self.flip_y else turned)


@dataclass(frozen=True)
class Shape:
    """A stored picture of `height` x `width` pixels, each `aspect` times as wide as high, and how it is turned."""

    height: int
    width: int
    aspect: Fraction = Fraction(1)
    turn: Turn = Turn()

    @property
    def shown(self) -> tuple[int, int]:
        """(height, width) in square pixels, upright: the width is stretched, as ffmpeg's `scale=iw*sar:ih`."""
        return self.turn.shown(self.height, max(1, round(self.width * self.aspect)))


class Painter:
    """Converts frames of one video; keeps one swscale context, since making one costs milliseconds at 4K."""

    def __init__(self, size: tuple[int, int], shape: Shape) -> None:
        """size: (height, width) as shown, which pictures of `shape` fill; others keep their own shape in it."""
        from av.video.reformatter import VideoReformatter

        self._size, self._shape = size, shape
        self._scaler = VideoReformatter()

    def paint(self, frame: Any) -> Picture:
        """uint8 (height, width, 3) RGB of the frame; black beside one whose shape is another."""
        size = self._inner(frame)
        picture = self._scaled(frame, size)
        if size == self._size:
            return picture
        canvas = np.zeros((*self._size, 3), np.uint8)
        top, left = (self._size[0] - size[0]) // 2, (self._size[1] - size[1]) // 2
        canvas[top : top + size[0], left : left + size[1]] = picture
        return canvas

    def _inner(self, frame: Any) -> tuple[int, int]:
        """The part of `size` that the frame fills, squeezed no more than the usual frame is."""
        usual = self._shape.shown
        if (frame.height, frame.width) == (self._shape.height, self._shape.width):
            return self._size
        height, width = replace(self._shape, height=frame.height, width=frame.width).shown
        ratio = (width * usual[0]) / (height * usual[1])
        if abs(ratio - 1) < SAME_SHAPE:
            return self._size
        if ratio > 1:
            return max(1, round(self._size[0] / ratio)), self._size[1]
        return self._size[0], max(1, round(self._size[1] * ratio))

    def _scaled(self, frame: Any, size: tuple[int, int]) -> Picture:
        height, width = self._shape.turn.shown(*size)
        full = int(frame.color_range) == _FULL_RANGE
        rgb = self._scaler.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=_SWS_MATRICES.get(int(frame.colorspace), _SWS_DEFAULT),
            dst_colorspace=_SWS_DEFAULT,
            interpolation=FILTER,
            src_color_range=_FULL_RANGE if full else _VIDEO_RANGE,
            dst_color_range=_VIDEO_RANGE,
        )
        return self._shape.turn.apply(_view(rgb))


def _view(rgb: Any) -> Picture:
    """The pixels of an rgb24 frame, (H, W, 3): without a copy (25 MB at 4K) where rows carry no padding."""
    plane = rgb.planes[0]
    rows: Picture = np.frombuffer(plane, np.uint8).reshape(rgb.height, plane.line_size)
    return np.ascontiguousarray(rows[:, : 3 * rgb.width]).reshape(rgb.height, rgb.width, 3)
