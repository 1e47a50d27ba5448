"""Generated tiles with one line of text, as a gaze that follows text sees them: pixels, patches, characters.

Example::

    seen = batch(draw, 64)            # 64 tiles of 224 px, one line each
    seen.pixels, seen.gaze            # uint8 (64, 3, 224, 224); bool (64, 265): the line's patches and some others
    seen.letters                      # long (64, 265, 4): the characters with their middle in each patch, in order
    seen.texts                        # ["BRUNO 61K", …]: of each, the characters that are whole in the tile

Fonts are those that come with matplotlib, capitals 5.5 to 14 px high at the scale they are gazed at. Words, colours,
fonts and grounds are drawn anew; nothing here comes from `hlvid.mini`.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from autogaze.gaze import SCALES, grid_sides, tokens_per_frame
from autogaze.training.generator_sprites import texture
from autogaze.training.text_tiles import fonts

SIZE, SIDES, TOKENS = SCALES[-1], grid_sides(), tokens_per_frame()
STARTS = tuple(sum(side * side for side in SIDES[:s]) for s in range(len(SIDES)))
ALPHABET = " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
"""Class 0, the space, is "no character"."""
SLOTS = 4
"""Characters that a patch can hold."""
IGNORE = -100
CAPS = (5.5, 14.0)
SCALE_SHARES = (0.08, 0.2, 0.32, 0.4)
GLYPH_CAP = 32
GROUNDS = 256
Box = tuple[float, float, float, float]
CUT = 0.25
"""Share of a character that may lie outside of the tile; one cut further is not asked for."""


@dataclass(frozen=True)
class Lines:
    """Tiles and what they say; see the module."""

    pixels: Tensor
    gaze: Tensor
    letters: Tensor
    texts: list[str]


def batch(draw: np.random.Generator, count: int, tries: int = 1) -> Lines:
    """`count` tiles. tries: lines that are drawn for each; one that would touch another is left out."""
    made = [_tile(draw, tries) for _ in range(count)]
    pixels, gazes, letters, said = zip(*made, strict=True)
    shown = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
    return Lines(shown, torch.from_numpy(np.stack(gazes)), torch.from_numpy(np.stack(letters)), list(said))


def word(draw: np.random.Generator) -> str:
    """Letters and a code: "QUMBEL 61K", "T7", "AROLI"."""
    letters = "".join(draw.choice(list(ALPHABET[1:27]), int(draw.integers(0, 8))))
    code = "".join(draw.choice(list(ALPHABET[1:] + ALPHABET[27:]), int(draw.integers(0, 5))))
    return f"{letters} {code}".strip() or "A1"


def _tile(
    draw: np.random.Generator, tries: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64], str]:
    """One tile: uint8 (224, 224, 3), its gaze, its characters, the texts that are whole in it."""
    picture = _grounds()[draw.integers(GROUNDS)].copy()
    gaze, letters = np.zeros(TOKENS, bool), np.full((TOKENS, SLOTS), IGNORE, np.int64)
    said: list[str] = []
    boxes: list[Box] = []
    for _ in range(tries):
        text, scale = word(draw), int(draw.choice(len(SCALES), p=SCALE_SHARES))
        cap = float(np.exp(draw.uniform(*np.log(CAPS)))) * SIZE / SCALES[scale]
        mask, ends = _ink(text, int(draw.integers(len(fonts()))))
        zoom = cap / GLYPH_CAP
        width, rim = ends[-1] * zoom, cap * float(draw.uniform(0.3, 1.2)) + 1
        x = float(draw.uniform(min(4, SIZE - 4 - width), max(4, SIZE - 4 - width)))
        if draw.random() < 0.3:  # over the tile's edge
            x = float(draw.uniform(-0.5 * width, SIZE - 0.5 * width))
        y = float(draw.uniform(2, max(3.0, SIZE - 2 - cap)))
        box = x - rim, y - rim, x + width + rim, y + cap + rim
        if any(_touch(box, other) for other in boxes):
            continue
        boxes.append(box)
        _draw(picture, draw, mask, zoom, (x, y), box)
        said.append(_fill(gaze, letters, scale, text, [x + end * zoom for end in ends], (y, cap)))
    _others(draw, gaze, letters, boxes)
    return _coded(picture, draw), gaze, letters, " ".join(said)


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def _fill(
    gaze: NDArray[np.bool_],
    letters: NDArray[np.int64],
    scale: int,
    text: str,
    ends: list[float],
    rows: tuple[float, float],
) -> str:
    """Mark the line's patches at `scale` and what is written in them; the text that is whole in the tile."""
    side, px = SIDES[scale], SIZE / SIDES[scale]
    (y, height), x0, x1 = rows, ends[0], ends[-1]
    first, last = (int(np.clip(v // px, 0, side - 1)) for v in (y, y + height - 1e-3))
    left, right = (int(np.clip(v // px, 0, side - 1)) for v in (x0, x1 - 1e-3))
    cells = np.arange(side * side).reshape(side, side)[first : last + 1, left : right + 1] + STARTS[scale]
    gaze[cells], letters[cells] = True, 0
    row = cells[min(int((y + height / 2) // px), side - 1) - first]
    used, cut, said = [0] * side, set(), ""
    for character, begin, end in zip(text, ends, ends[1:], strict=False):
        middle, wide = (begin + end) / 2, end - begin
        outside = (max(0.0, -begin) + max(0.0, end - SIZE)) / wide
        cell = int(middle // px) - left
        if outside > CUT or not 0 <= cell < len(row):
            cut.add(min(max(cell, 0), len(row) - 1))
        elif character != " ":
            if used[cell] < SLOTS:
                letters[row[cell], used[cell]] = ALPHABET.index(character)
            used[cell] += 1
        said += character if outside <= CUT and 0 <= cell < len(row) else ""
    for cell in cut:
        letters[row[cell]] = IGNORE
    return said.strip()


def _others(
    draw: np.random.Generator, gaze: NDArray[np.bool_], letters: NDArray[np.int64], boxes: list[Box]
) -> None:
    """A few more patches of any scale, as gazes have them; on a line they show it at another scale."""
    for token in draw.integers(0, TOKENS, int(draw.integers(0, 7))).tolist():
        if gaze[token]:
            continue
        scale = max(s for s, start in enumerate(STARTS) if token >= start)
        px = SIZE / SIDES[scale]
        y, x = (v * px for v in divmod(token - STARTS[scale], SIDES[scale]))
        touches = any(_touch((x, y, x + px, y + px), box) for box in boxes)
        gaze[token], letters[token] = True, IGNORE if touches else 0


def _draw(
    picture: NDArray[np.uint8],
    draw: np.random.Generator,
    mask: NDArray[np.uint8],
    zoom: float,
    corner: tuple[float, float],
    box: Box,
) -> None:
    """A line on a plate that fills `box`, opaque or not; corner: of its capitals."""
    left, top, right, bottom = (int(np.clip(v, 0, SIZE)) for v in box)
    area = picture[top:bottom, left:right].astype(np.float32)
    ink, plate = _colours(draw)
    area += (plate - area) * np.float32(0.94 if draw.random() < 0.85 else 0.6)
    if zoom < 0.6:  # warpAffine has no filter for making things small
        mask, zoom = cv2.resize(mask, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), zoom * 2
    (x, y), above = corner, zoom * mask.shape[0] / 6
    place = np.array([[zoom, 0, x - left], [0, zoom, y - top - above]], np.float32)
    cover = cv2.warpAffine(mask, place, area.shape[1::-1], flags=cv2.INTER_LINEAR)[..., None]
    area += (ink - area) * (cover / np.float32(255))
    picture[top:bottom, left:right] = np.clip(area, 0, 255)


def _coded(picture: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    """Three in ten have been through JPEG."""
    if draw.random() > 0.3:
        return picture
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(50, 96))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR), np.uint8)


def _colours(draw: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Ink and plate, far enough apart in grey, either of them the lighter."""
    dark, light = draw.uniform(0, 110, 3), draw.uniform(170, 256, 3)
    pair = dark.astype(np.float32), light.astype(np.float32)
    return pair if draw.random() < 0.5 else pair[::-1]


@lru_cache(maxsize=1)
def _grounds() -> list[NDArray[np.uint8]]:
    """Textures, made once: drawing them costs more than all the rest."""
    draw = np.random.default_rng(11)
    return [texture(draw, SIZE, SIZE) for _ in range(GROUNDS)]


def _ink(text: str, font: int) -> tuple[NDArray[np.uint8], list[float]]:
    """A line at 32 px of capitals: uint8 (48, width), capitals from row 8 on; ends of its characters in px."""
    parts = [_glyph(character, font) for character in text]
    ends = np.cumsum([0, *[part.shape[1] for part in parts]])
    return np.concatenate(parts, axis=1), ends.astype(float).tolist()


@cache
def _glyph(character: str, font: int) -> NDArray[np.uint8]:
    """One character of a font, uint8 (48, advance)."""
    face = _face(font)
    picture = Image.new("L", (max(1, round(face.getlength(character))), GLYPH_CAP * 3 // 2))
    ImageDraw.Draw(picture).text((0, GLYPH_CAP * 5 // 4), character, 255, face, anchor="ls")
    return np.asarray(picture)


@cache
def _face(font: int) -> ImageFont.FreeTypeFont:
    """A font at which capitals are 32 px high."""
    path = str(fonts()[font])
    top = ImageFont.truetype(path, 100).getbbox("H", anchor="ls")[1]
    return ImageFont.truetype(path, round(GLYPH_CAP * 100 / -top))
