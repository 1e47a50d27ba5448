"""Pictures without text, with what a gaze takes for text: empty plates, bars, bricks, leaves, streaks, poles."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from autogaze.gaze import SCALES
from autogaze.training.generator_sprites import cutout, texture

SIZE = SCALES[-1]


def ground(draw: np.random.Generator, size: int) -> Image.Image:
    """A square without text, drawn larger or smaller: a texture, things, and clutter that has edges as text has."""
    side = int(size * np.exp(draw.uniform(np.log(0.6), np.log(1.6))))
    picture = Image.fromarray(texture(draw, side, side))
    for _ in range(int(draw.integers(0, 7))):
        thing = Image.fromarray(cutout(draw))
        picture.paste(thing, tuple(draw.integers(-40, side, 2).tolist()), thing)
    for _ in range(int(draw.integers(0, 4))):
        _clutter(picture, draw)
    return picture.resize((size, size), Image.Resampling.BICUBIC)


def _clutter(picture: Image.Image, draw: np.random.Generator) -> None:
    """Put something somewhere that has edges as text has, and is none."""
    width, height = (int(np.exp(draw.uniform(np.log(24), np.log(SIZE)))) for _ in range(2))
    left, top = (int(v) for v in draw.integers(-width // 2, picture.width, 2))
    dark, light = (np.array(one, np.float32) for one in _colours(draw))
    kind = draw.choice(["plate", "bars", "bricks", "leaves", "streaks", "pole"])
    cover = np.ones((height, width), np.float32)
    if kind == "plate":
        share = np.zeros_like(cover)
        rim = int(draw.integers(0, 5))
        share[rim : height - rim, rim : width - rim] = 1
    elif kind in ("bars", "bricks"):
        share = _rows(draw, height, width, bricks=kind == "bricks")
    elif kind == "pole":
        cover = cover[:, : int(draw.integers(1, 9))]
        share = cover
    else:
        fine = (height // int(draw.integers(2, 7)) + 1, width // int(draw.integers(2, 12)) + 1)
        noise = draw.random(fine, np.float32)
        share = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
        if kind == "leaves":
            cover = (cv2.GaussianBlur(share, (0, 0), 3) > 0.5).astype(np.float32)
        else:
            light = dark + (light - dark) * draw.uniform(0.1, 0.6)
    pixels = np.clip(dark + (light - dark) * share[..., None], 0, 255).astype(np.uint8)
    picture.paste(Image.fromarray(pixels), (left, top), Image.fromarray((cover * 255).astype(np.uint8)))


def _rows(draw: np.random.Generator, height: int, width: int, bricks: bool) -> NDArray[np.float32]:
    """Bars side by side, one row or more, as of windows; with `bricks` every other row moved by half."""
    share = np.zeros((height, width), np.float32)
    along, gap = int(draw.integers(4, 30)), int(draw.integers(1, 12))
    tall, between = int(draw.integers(3, 30)), int(draw.integers(1, 20))
    if bricks:
        along, gap, tall, between = along + tall, 1, tall // 2 + 2, 1
    for row, y in enumerate(range(0, height, tall + between)):
        shift = (along + gap) // 2 if bricks and row % 2 else 0
        for x in range(-shift, width, along + gap):
            share[y : y + tall, max(0, x) : max(0, x + along)] = draw.uniform(0.7, 1)
    return share


def _colours(draw: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two, at least 90 grey levels apart, either of them the lighter."""
    dark, light = draw.integers(0, 100, 3), draw.integers(190, 256, 3)
    both = [tuple(int(v) for v in one) for one in (dark, light)]
    ink, plate = both if draw.random() < 0.5 else reversed(both)
    return ink, plate
