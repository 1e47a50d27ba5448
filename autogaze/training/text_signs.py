"""Signs for generated pictures: lines of text whose place is known, and plates that have none.

A plate may be many times as large as its text, have a border, bands, shading and round corners; or there is none. What
makes a sign is drawn with Pillow and takes its luck from the generator it is given and from nowhere else.

No code here comes from `hlvid.mini`. That plates are often larger than their text was learned from its development set
(autogaze/weights/README.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -.:/"
CAP = 0.73
"""Height of capitals, of a font's size."""
CAPS = (4.0, 60.0)
"""Heights of capitals in px, as often between 4 and 8 as between 30 and 60."""
PLAIN = "DejaVuSans-Bold"
WIDEST = 170.0
"""Px from a text to its plate's edge, at most."""
Shades = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """Where the letters of a line are: left, top, right, bottom, and the height of capitals, in px.

    ends: px from the left edge to where each letter of `text` ends."""

    box: tuple[float, float, float, float]
    cap: float
    text: str = ""
    ends: tuple[float, ...] = ()


def put_sign(
    picture: Image.Image,
    draw: np.random.Generator,
    taken: list[NDArray[np.float64]],
    written: bool = True,
    caps: tuple[float, float] = CAPS,
    say: Callable[[np.random.Generator], str] | None = None,
    plain: float = 0.0,
) -> list[Line]:
    """Put a sign somewhere, unless it would touch one of `taken`, to which it is added; returns its lines.

    written: False for a plate without text, or with a bar in its place. say: draws a line's text; `words` unless given.
    plain: share of signs in the plain bold font, beside those that the draw of a font gives it.
    """
    say = say or words
    cap = float(np.exp(draw.uniform(*np.log(caps))))
    font, text = _font(draw, cap, plain), say(draw)
    wide = font.getlength(text)
    step = cap * draw.uniform(1.5, 2.2) if draw.random() < 0.2 else 0.0
    rim = _rim(draw, cap)
    left, base = draw.uniform(-0.4 * wide, picture.width - 0.6 * wide), draw.uniform(0, picture.height)
    inner = np.array([left, base - cap, left + wide, base + step])
    plate = inner + rim * np.array([-1, -1, 1, 1])
    if any((plate[:2] <= one[2:]).all() and (plate[2:] >= one[:2]).all() for one in taken):
        return []
    taken.append(plate)
    ink, face = _colours(draw)
    if not written or draw.random() < 0.85:
        _put_plate(picture, draw, plate, inner, ink, face)
    if not written:
        if draw.random() < 0.3:
            bar = (left, base - cap * draw.uniform(0.1, 1), left + wide, base)
            ImageDraw.Draw(picture).rectangle(bar, fill=_rgb(ink))
        return []
    faint = 1 - 0.15 * draw.random()
    lines = [_write(picture, font, text, (left, base), ink, cap, faint)]
    if step:
        other = say(draw)
        other = other[: max(1, int(len(other) * wide / max(font.getlength(other), wide)))]
        lines.append(_write(picture, font, other, (left, base + step), ink, cap, faint))
    return lines


def words(draw: np.random.Generator) -> str:
    """Capitals or not, with a code or not: "MILL 35C", "Harbour", "kF-20:1"."""
    upper, lower, digits = LETTERS[:26], LETTERS[26:52], LETTERS[52:62]
    if draw.random() < 0.25:
        return "".join(draw.choice(list(LETTERS), int(draw.integers(2, 14)))).strip() or "A"
    word = "".join(draw.choice(list(upper), int(draw.integers(2, 9))))
    if draw.random() < 0.3:
        word = word[0] + "".join(draw.choice(list(lower), len(word) - 1))
    code = "".join(draw.choice(list(digits + upper[:8]), int(draw.integers(1, 5))))
    return str(draw.choice([word, f"{word} {code}", f"{word} {code}", code + upper[0]]))


@lru_cache(maxsize=1)
def fonts() -> list[Path]:
    """The text fonts of matplotlib, in the order of their names."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return sorted(path for path in folder.glob("DejaVuS*.ttf") if "Display" not in path.name)


def _font(draw: np.random.Generator, cap: float, plain: float) -> ImageFont.FreeTypeFont:
    """A share `plain` in the plain bold face; of the others half bold, as on signs."""
    faces = fonts()
    if plain and draw.random() < plain:
        faces = [path for path in faces if path.stem == PLAIN]
    elif draw.random() < 0.5:
        faces = [path for path in faces if "Bold" in path.name]
    return ImageFont.truetype(str(faces[draw.integers(len(faces))]), max(5, round(cap / CAP)))


def _rim(draw: np.random.Generator, cap: float) -> NDArray[np.float64]:
    """Px from the text to the plate's left, top, right and bottom edge; of half of them the same on both sides."""
    large = draw.random() < 0.6
    rim = np.exp(draw.uniform(np.log(0.3), np.log(8 if large else 1.5), 4)) * cap
    if large:
        rim = np.maximum(rim, draw.uniform(0, 60))
    if draw.random() < 0.5:
        rim[2:] = rim[:2]
    return np.minimum(rim, WIDEST)


def _colours(draw: np.random.Generator) -> tuple[Shades, Shades]:
    """Ink and face, float (3,) of 0 to 255: a seventh of the range apart or much more, either of them the lighter."""
    middle, apart = draw.uniform(0.2, 0.8), max(0.15, abs(draw.normal(0.55, 0.25)))
    side = 0.5 if draw.random() < 0.5 else -0.5
    both = np.array([middle + side * apart, middle - side * apart]) + draw.normal(0, 0.15, (3, 2))
    ink, face = np.clip(both.T * 255, 0, 255).astype(np.float32)
    return ink, face


def _rgb(colour: Shades) -> tuple[int, ...]:
    return tuple(int(value) for value in colour)


def _put_plate(
    picture: Image.Image,
    draw: np.random.Generator,
    plate: NDArray[np.float64],
    inner: NDArray[np.float64],
    ink: Shades,
    face: Shades,
) -> None:
    """A face with shading and grain; often a border, sometimes bands beside the text, round corners, less cover."""
    left, top = (int(side) for side in plate[:2])
    width, height = (max(1, int(side)) for side in plate[2:] - plate[:2])
    pixels = _shaded(draw, height, width, face)
    least = min(width, height)
    if draw.random() < 0.55 and least > 12:
        edge, thick = int(draw.uniform(0, 0.08) * least), max(1, int(draw.uniform(0.01, 0.06) * least))
        colour = ink if draw.random() < 0.7 else draw.uniform(0, 255, 3)
        corner = (width - 1 - edge, height - 1 - edge)
        cv2.rectangle(pixels, (edge, edge), corner, [float(value) for value in colour], thick)
    if draw.random() < 0.35:
        cap = inner[3] - inner[1]
        free = (int(inner[1] - 0.3 * cap - top), int(inner[3] + 0.3 * cap - top))
        for _ in range(int(draw.integers(1, 3))):
            _band(draw, pixels, ink, free)
    cover = _cover(draw, height, width)
    shown = np.clip(pixels, 0, 255).astype(np.uint8)
    picture.paste(Image.fromarray(shown), (left, top), Image.fromarray(cover))


def _shaded(draw: np.random.Generator, height: int, width: int, face: Shades) -> Shades:
    """Float (height, width, 3) about one colour."""
    pixels = np.broadcast_to(face, (height, width, 3)).copy()
    if draw.random() < 0.5:
        along = (
            np.linspace(-1, 1, width)[None] if draw.random() < 0.5 else np.linspace(-1, 1, height)[:, None]
        )
        along = np.abs(along) if draw.random() < 0.5 else along
        pixels += (draw.uniform(-40, 40) * along)[..., None].astype(np.float32)
    coarse = (height // int(draw.integers(1, 12)) + 1, width // int(draw.integers(1, 12)) + 1)
    grain = draw.normal(0, draw.uniform(0, 10), coarse).astype(np.float32)
    pixels += np.asarray(cv2.resize(grain, (width, height)))[..., None]
    return pixels


def _band(draw: np.random.Generator, pixels: Shades, ink: Shades, free: tuple[int, int]) -> None:
    """A band of ink, speckled, above row free[0] or below row free[1] of a plate, where there is room."""
    height, width = pixels.shape[:2]
    start, room = (0, free[0]) if draw.random() < 0.5 else (free[1], height - free[1])
    tall = max(1, int(np.exp(draw.uniform(0, np.log(max(2, 0.15 * height))))))
    if start < 0 or room <= tall:
        return
    first = start + int(draw.integers(0, room - tall))
    part = pixels[first : first + tall]
    coarse = (tall // int(draw.integers(1, 6)) + 1, width // int(draw.integers(1, 10)) + 1)
    share = cv2.resize(draw.random(coarse, np.float32), (width, tall))[..., None] * draw.uniform(0.2, 1)
    part += (ink - part) * share.astype(np.float32)


def _cover(draw: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """How opaque a plate is, 0 to 255."""
    cover = np.full((height, width), 255, np.uint8)
    if draw.random() < 0.4:
        shape = Image.new("L", (width, height))
        radius = draw.uniform(0.02, 0.3) * min(width, height)
        ImageDraw.Draw(shape).rounded_rectangle((0, 0, width - 1, height - 1), radius, fill=255)
        cover = np.asarray(shape)
    return (cover * draw.uniform(0.5, 1)).astype(np.uint8) if draw.random() < 0.1 else cover


def _write(
    picture: Image.Image,
    font: ImageFont.FreeTypeFont,
    text: str,
    at: tuple[float, float],
    ink: Shades,
    cap: float,
    opaque: float,
) -> Line:
    """Write a line whose letters stand on `at` (left, base line)."""
    left, base = (round(side) for side in at)
    wide, tall = int(font.getlength(text)) + 8, int(2 * cap) + 8
    strip = Image.new("L", (wide, tall))
    ImageDraw.Draw(strip).text((4, round(1.4 * cap) + 4), text, int(255 * opaque), font, anchor="ls")
    corner = (left - 4, base - round(1.4 * cap) - 4)
    picture.paste(Image.new("RGB", strip.size, _rgb(ink)), corner, strip)
    ends = tuple(font.getlength(text[: n + 1]) for n in range(len(text)))
    return Line((left, base - cap, left + wide - 8, base), cap, text, ends)
