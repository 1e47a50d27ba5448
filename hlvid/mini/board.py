"""Things with a text on them: road boards and household objects, as sprites with the box of their ink.

piece = board("EXIT 38", cap=44, look=Look("white", "green", "road sign"), seed=1)
piece.sprite.width, piece.box       # box: x0, y0, x1, y1 of the ink, in the sprite's pixels
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hlvid.mini.canvas import Sprite
from hlvid.mini.text import text_mask
from hlvid.mini.texture import RGB, clouds, paint
from hlvid.mini.wording import COLOURS, Look

Box = tuple[int, int, int, int]
POST = (126, 128, 130)


@dataclass(frozen=True, eq=False)
class Piece:
    """A sprite and where its text is (x0, y0, x1, y1 in the sprite's pixels; x1, y1 exclusive)."""

    sprite: Sprite
    box: Box


def even(value: float) -> int:
    """The nearest even integer below or at `value`: chroma has half the resolution."""
    return int(value // 2) * 2


def board(text: str, cap: int, look: Look, seed: int) -> Piece:
    """A road board: painted metal with a border in the ink's colour; the text stands in its middle."""
    mask = text_mask(text, cap)
    width, height = even(max(mask.shape[1] + 1.6 * cap + 40, 240)), even(max(2.8 * cap + 20, 120))
    face = paint(seed, height, width, COLOURS[look.ground], depth=6)
    edge, line = max(2, min(width, height) // 40), max(2, min(width, height) // 30)
    _frame(face, edge, line, look)
    box = write(face, mask, look, (height - mask.shape[0]) // 2)
    return Piece(Sprite.from_rgb(face, rounded(height, width, 4 * edge)), box)


def parcel(text: str, cap: int, look: Look, seed: int) -> Piece:
    """A household object of `look.kind`, painted in the ground colour, its text on the front."""
    mask = text_mask(text, cap)
    tall = {"jar": 440, "box": 400, "book": 420, "bag": 430, "crate": 330, "poster": 450}[look.kind]
    width = even(max(mask.shape[1] + 40, tall * (0.8 if look.kind == "jar" else 1.05)))
    face = paint(seed, tall, width, COLOURS[look.ground], depth=9)
    _dress(face, look, seed)
    box = write(face, mask, look, tall * 11 // 20 - mask.shape[0] // 2)
    return Piece(Sprite.from_rgb(face, _outline(look.kind, tall, width)), box)


def write(face: RGB, mask: NDArray[np.uint8], look: Look, top: int) -> Box:
    """Put the ink of `mask`, centred, on `face` at row `top`; returns the box of the ink."""
    left = (face.shape[1] - mask.shape[1]) // 2
    _ink(face[top : top + mask.shape[0], left : left + mask.shape[1]], mask, look)
    rows, columns = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    return (
        left + int(columns[0]),
        top + int(rows[0]),
        left + int(columns[-1]) + 1,
        top + int(rows[-1]) + 1,
    )


def _ink(area: RGB, mask: NDArray[np.uint8], look: Look) -> None:
    weight = mask[..., None].astype(np.int32)
    ink = np.array(COLOURS[look.ink], np.int32)
    area[...] = (area.astype(np.int32) * (255 - weight) + ink * weight + 127) // 255


def rounded(height: int, width: int, radius: int) -> NDArray[np.bool_]:
    """A rectangle with round corners, bool (height, width)."""
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    down = np.maximum(np.maximum(radius - rows, rows - (height - 1 - radius)), 0)
    across = np.maximum(np.maximum(radius - columns, columns - (width - 1 - radius)), 0)
    return np.asarray(down * down + across * across <= radius * radius)


def _frame(face: RGB, edge: int, line: int, look: Look) -> None:
    inner = face[edge:-edge, edge:-edge]
    keep = inner[line:-line, line:-line].copy()
    inner[...] = COLOURS[look.ink]
    inner[line:-line, line:-line] = keep


def _dress(face: RGB, look: Look, seed: int) -> None:
    """Shading and trimmings of an object, so that its text is not its only detail."""
    height, width = face.shape[:2]
    trim = np.array(COLOURS[look.ink], np.int32)
    band = face[height // 12 : height // 6]
    speckle = clouds(seed + 7, band.shape[0], width, (4, 2))[..., None].astype(np.int32)
    band[...] = (band.astype(np.int32) * (400 - speckle) + trim * speckle) // 400
    face[height * 7 // 8 : height * 7 // 8 + 6] = (face[height * 7 // 8 : height * 7 // 8 + 6] + trim) // 2
    if look.kind == "jar":
        across = np.abs(np.arange(width) * 2 - width) * 256 // width
        shade = 270 - across * across // 400
        face[...] = np.clip(face.astype(np.int32) * shade[None, :, None] >> 8, 0, 255)
    if look.kind == "crate":
        for row in (height // 5, height * 4 // 5):
            face[row : row + 10] //= 3
    if look.kind == "book":
        face[:, : width // 16] //= 2


def _outline(kind: str, height: int, width: int) -> NDArray[np.bool_]:
    mask = rounded(height, width, {"jar": 60, "bag": 24, "poster": 0, "crate": 4}.get(kind, 8))
    if kind == "jar":  # a lid narrower than the body
        mask[: height // 14, : width // 8] = mask[: height // 14, -(width // 8) :] = False
    if kind == "bag":  # zigzag top
        teeth = np.abs(np.arange(width) % 32 - 16)
        mask &= np.arange(height)[:, None] >= teeth[None, :]
    return mask
