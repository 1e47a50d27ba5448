"""What generated scenes are made of: textures with detail in some places only, cut-outs, lettering.

Every function takes its luck from the numpy generator it is given and from nowhere else.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Shades = NDArray[np.float32]
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def texture(draw: np.random.Generator, height: int, width: int) -> Pixels:
    """A surface: smooth shading everywhere, fine structure in a few patches of it, as in most pictures."""
    octaves = (2, 4, 8, 16, 32, 64)[: 3 if draw.random() < 0.4 else 6]
    ground = _clouds(draw, height, width, octaves, contrast=90)
    for _ in range(draw.integers(1, 6)):
        area = _blot(draw, height, width)
        np.copyto(ground, _structure(draw, height, width), where=area[..., None] > 0)
    return np.clip(ground, 0, 255).astype(np.uint8)


def cutout(draw: np.random.Generator, low: int = 24, high: int = 110) -> Pixels:
    """A thing: an ellipse or a polygon of `low` to `high` px with a texture of its own and soft edges."""
    height, width = (int(side) for side in draw.integers(low, high, 2))
    face = np.clip(_structure(draw, height, width), 0, 255).astype(np.uint8)
    cover = np.zeros((height, width), np.uint8)
    if draw.random() < 0.4:
        cv2.ellipse(cover, (width // 2, height // 2), (width // 2 - 2, height // 2 - 2), 0, 0, 360, 255, -1)
    else:
        cv2.fillPoly(cover, [_polygon(draw, height, width)], 255)
    return np.dstack([face, cv2.GaussianBlur(cover, (3, 3), 0)])


def lettering(draw: np.random.Generator) -> Pixels:
    """A line of text, on a plate of one colour or on nothing."""
    text = "".join(draw.choice(list(LETTERS), draw.integers(2, 9)))
    font, scale, stroke = FONTS[draw.integers(len(FONTS))], draw.uniform(0.4, 1.6), int(draw.integers(1, 3))
    (width, height), below = cv2.getTextSize(text, font, scale, stroke)
    ink, plate = draw.integers(0, 256, 3), draw.integers(0, 256, 3)
    shape = (height + below + 8, width + 8)
    strokes = np.zeros(shape, np.uint8)
    cv2.putText(strokes, text, (4, height + 4), font, scale, 255, stroke, cv2.LINE_AA)
    part = strokes[..., None] / 255
    cover = strokes if draw.random() < 0.4 else np.full(shape, 255, np.uint8)
    return np.dstack([(ink * part + plate * (1 - part)).astype(np.uint8), cover])


def _structure(draw: np.random.Generator, height: int, width: int) -> Shades:
    """Plain colour, stripes, checks or fine clouds, about one colour: float (h, w, 3)."""
    colour = draw.integers(20, 236, 3)
    kind = draw.choice(["plain", "stripes", "checks", "clouds", "clouds"])
    if kind == "clouds":
        octaves = (8, 16, 32, 64) if draw.random() < 0.5 else (4, 8, 16)
        clouds = _clouds(draw, height, width, octaves, contrast=float(draw.uniform(20, 120)))
        return ((clouds + colour) / 2).astype(np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, period = draw.uniform(0, np.pi), draw.uniform(3, 24)
    wave = np.zeros_like(x)
    if kind != "plain":
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if kind == "checks":
        wave = np.sign(wave * np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / period))
    shades: Shades = (colour + draw.uniform(10, 70) * wave[..., None]).astype(np.float32)
    return shades


def _clouds(
    draw: np.random.Generator, height: int, width: int, octaves: tuple[int, ...], contrast: float
) -> Shades:
    """Smooth noise whose amplitude falls with frequency, as in natural pictures: float (h, w, 3)."""
    out = np.full((height, width, 3), 128, np.float32)
    for cells in octaves:
        rough = draw.standard_normal((cells + 1, cells + 1, 3), dtype=np.float32)
        rough += 2 * rough.mean(2, keepdims=True)  # mostly grey: colours of a scene go together
        smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
        out += 0.4 * contrast * octaves[0] / cells * smooth
    return out


def _blot(draw: np.random.Generator, height: int, width: int) -> Pixels:
    """A polygon somewhere in the picture: 0 or 255, (h, w)."""
    area = np.zeros((height, width), np.uint8)
    rows, cols = int(height * draw.uniform(0.15, 0.7)), int(width * draw.uniform(0.15, 0.7))
    corner = [draw.integers(0, width - cols // 2), draw.integers(0, height - rows // 2)]
    cv2.fillPoly(area, [_polygon(draw, rows, cols) + np.array(corner, np.int32)], 255)
    return area


def _polygon(draw: np.random.Generator, height: int, width: int) -> NDArray[np.int32]:
    """3 to 7 corners around the middle of a box: int32 (n, 2), x and y."""
    angles = np.sort(draw.uniform(0, 2 * np.pi, draw.integers(3, 8)))
    far = draw.uniform(0.6, 1, len(angles))
    points = np.stack([np.cos(angles) * far * width / 2, np.sin(angles) * far * height / 2], 1)
    corners: NDArray[np.int32] = (points + np.array([width / 2, height / 2])).astype(np.int32)
    return corners
