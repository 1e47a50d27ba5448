"""Pictures in the encoder's own format (8-bit 4:2:0, BT.709 limited range), and sprites pasted onto them.

Painting in YUV means that a frame goes to the encoder as it is: nothing converts 8 million pixels per frame.
Everything is even-sized and at even positions, so that chroma lines up::

    frame = Planes.blank(2160, 3840)
    frame.paste(Sprite.from_rgb(brick(1, 400, 900)), x=200, y=-100)     # clipped at the edges
    frame.digest()                                                      # sha256 of the raw bytes
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.uint8]


def bicubic(plane: Plane, width: int, height: int) -> Plane:
    """One plane (h, w) at another size, uint8 (height, width): Pillow's fixed-point filter, an axis at a time.

    The order of the axes shows in the bytes. Pillow 13 takes the rows first where they become fewer and the columns
    more, older releases never do; said here, the pixels do not depend on the release.
    """
    rows, columns = plane.shape
    rows_first = height < rows and width > columns
    between = (columns, height) if rows_first else (width, rows)
    once = Image.fromarray(plane).resize(between, Image.Resampling.BICUBIC)
    return np.asarray(once.resize((width, height), Image.Resampling.BICUBIC))


def yuv_of(rgb: NDArray[np.uint8]) -> tuple[Plane, Plane, Plane]:
    """RGB uint8 (H, W, 3), even sizes -> Y (H, W), U and V (H/2, W/2); BT.709 limited, 8-bit fixed-point."""
    r, g, b = (rgb[..., i].astype(np.int32) for i in range(3))
    y = (47 * r + 157 * g + 16 * b + 4224) >> 8
    r, g, b = (c[::2, ::2] + c[1::2, ::2] + c[::2, 1::2] + c[1::2, 1::2] for c in (r, g, b))
    u = (-26 * r - 86 * g + 112 * b + 131584) >> 10
    v = (112 * r - 102 * g - 10 * b + 131584) >> 10
    return y.astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Sprite:
    """A picture with an optional mask; masks are hard (in or out), on luma and on chroma.

    y, u, v: planes as in `yuv_of`; mask: bool (H, W), chroma_mask: bool (H/2, W/2), None where all is opaque.
    """

    y: Plane
    u: Plane
    v: Plane
    mask: NDArray[np.bool_] | None = None
    chroma_mask: NDArray[np.bool_] | None = None

    @classmethod
    def from_rgb(cls, rgb: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> "Sprite":
        """From RGB (H, W, 3) of even size and a mask (H, W)."""
        planes = yuv_of(rgb)
        if mask is None:
            return cls(*planes)
        return cls(*planes, mask, mask[::2, ::2] & mask[1::2, ::2] & mask[::2, 1::2] & mask[1::2, 1::2])

    @property
    def height(self) -> int:
        """Height in px of luma."""
        return int(self.y.shape[0])

    @property
    def width(self) -> int:
        """Width in px of luma."""
        return int(self.y.shape[1])

    def covers(self, box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """Which pixels of `box` (x0, y0, x1, y1 in this sprite's pixels) it covers: bool (y1-y0, x1-x0)."""
        x0, y0, x1, y1 = box
        result = np.zeros((y1 - y0, x1 - x0), np.bool_)
        left, top, right, bottom = max(0, x0), max(0, y0), min(self.width, x1), min(self.height, y1)
        if left < right and top < bottom:
            inside = True if self.mask is None else self.mask[top:bottom, left:right]
            result[top - y0 : bottom - y0, left - x0 : right - x0] = inside
        return result


@dataclass(frozen=True, eq=False)
class Planes:
    """One frame: y (H, W), u and v (H/2, W/2), as views of one buffer laid out as I420."""

    buffer: Plane
    y: Plane
    u: Plane
    v: Plane

    @classmethod
    def blank(cls, height: int, width: int) -> "Planes":
        """A frame with undefined content."""
        buffer = np.empty((height * 3 // 2, width), np.uint8)
        flat, luma, chroma = buffer.reshape(-1), height * width, height * width // 4
        half = (height // 2, width // 2)
        return cls(
            buffer,
            flat[:luma].reshape(height, width),
            flat[luma : luma + chroma].reshape(half),
            flat[luma + chroma :].reshape(half),
        )

    def paste(self, sprite: Sprite, x: int, y: int) -> None:
        """Put `sprite` with its top left corner at (x, y), both even; what lies outside is clipped."""
        assert x % 2 == 0 and y % 2 == 0, (x, y)
        _paste(self.y, sprite.y, sprite.mask, x, y)
        _paste(self.u, sprite.u, sprite.chroma_mask, x // 2, y // 2)
        _paste(self.v, sprite.v, sprite.chroma_mask, x // 2, y // 2)

    def digest(self) -> str:
        """SHA-256 of the raw I420 bytes: what the determinism tests compare across machines."""
        return hashlib.sha256(self.buffer.tobytes()).hexdigest()


def _paste(target: Plane, source: Plane, mask: NDArray[np.bool_] | None, x: int, y: int) -> None:
    top, left = max(0, -y), max(0, -x)
    bottom, right = min(source.shape[0], target.shape[0] - y), min(source.shape[1], target.shape[1] - x)
    if top >= bottom or left >= right:
        return
    into = target[y + top : y + bottom, x + left : x + right]
    if mask is None:
        into[...] = source[top:bottom, left:right]
    else:
        np.copyto(into, source[top:bottom, left:right], where=mask[top:bottom, left:right])
