"""Generated tiles with text and its place: what a gaze that is to read is taught on, without any detector.

`place` has a channel a scale: a line is in that of the coarsest scale at which it can be read, in none if it is too
small. Six tiles in ten have no text. The others have one to three lines, most on plates, in the fonts that come with
matplotlib, of 4 to 80 px cap height; grounds and things are the generator's, and what a gaze takes for text: empty
plates, rows of bars, courses of bricks, leaves, streaks, poles. JPEG leaves its marks.
No code here comes from `hlvid.mini`; which clutter there is was chosen with its development set in view.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from autogaze.selectors.text import coarsest
from autogaze.training.generator_sprites import cutout, texture

SIZE = SCALES[-1]
CAPS = (4.0, 80.0)
WITH_TEXT = 0.4
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -.:/"
HELD_OUT = 10_000_000
"""Seeds from here on are never trained on."""
CAP = 0.73
"""Height of capitals, of a font's size."""


def tile(seed: int) -> tuple[Tensor, Tensor]:
    """See the module; the same for the same seed."""
    draw = np.random.default_rng([seed, 11])
    picture, place = ground(draw), np.zeros((len(SCALES), SIZE, SIZE), np.float32)
    if draw.random() < WITH_TEXT:
        for _ in range(int(draw.integers(1, 4))):
            _write(picture, place, draw)
    ok, coded = cv2.imencode(
        ".jpg", np.asarray(picture)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(40, 96))]
    )
    assert ok, "OpenCV is built without JPEG"
    shown = cv2.cvtColor(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB)
    shares = torch.nn.functional.avg_pool2d(torch.from_numpy(place), PATCH_SIZE)
    return torch.from_numpy(np.ascontiguousarray(shown.transpose(2, 0, 1))), shares


def ground(draw: np.random.Generator, size: int = SIZE) -> Image.Image:
    """A square without text: a texture, things, and clutter that has edges as text has."""
    picture = Image.fromarray(texture(draw, size, size))
    for _ in range(int(draw.integers(0, 7))):
        thing = Image.fromarray(cutout(draw))
        picture.paste(thing, tuple(draw.integers(-40, size, 2).tolist()), thing)
    for _ in range(int(draw.integers(0, 4))):
        _clutter(picture, draw)
    return picture


def read_share(masks: Tensor, places: Tensor) -> float:
    """Evidence recall: the share of the text in `places`, float (N, 4, 14, 14), that gazes of the tiles, bool (N, 265),
    show at a scale at which it can be read."""
    seen = torch.zeros_like(places, dtype=torch.bool)
    sides = grid_sides()
    parts = torch.split(masks, [side * side for side in sides], -1)
    for scale, (part, side) in enumerate(zip(parts, sides, strict=True)):
        grid = part.view(-1, 1, side, side).float()
        shown = torch.nn.functional.interpolate(grid, places.shape[-1], mode="nearest")
        seen[:, : scale + 1] |= shown.bool()  # what can be read here can be read at finer scales, too
    return float((places * seen).sum() / places.sum())


def tiles(seeds: range) -> tuple[Tensor, Tensor]:
    """Many: uint8 (N, 3, 224, 224), float32 (N, 4, 14, 14)."""
    made = [tile(seed) for seed in seeds]
    return torch.stack([picture for picture, _ in made]), torch.stack([place for _, place in made])


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


def _write(picture: Image.Image, place: NDArray[np.float32], draw: np.random.Generator) -> None:
    """Put one line somewhere, on a plate or on the ground, and note in `place` what its letters cover."""
    low, high = np.log(CAPS)
    cap = float(np.exp(draw.uniform(low, high)))
    faces = fonts()
    font = ImageFont.truetype(str(faces[draw.integers(len(faces))]), max(5, round(cap / CAP)))
    text = "".join(draw.choice(list(LETTERS), int(draw.integers(3, 13))))
    x, y = (int(v) for v in draw.integers(-20, SIZE - 20, 2))
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = (int(side) for side in pen.textbbox((x, y), text, font))
    ink, plate = _colours(draw)
    if draw.random() < 0.8:
        rim = int(cap * draw.uniform(0.3, 1.2)) + 2
        pen.rectangle((left - rim, top - rim, right + rim, bottom + rim), fill=plate)
        place[max(0, top - rim) : bottom + rim, max(0, left - rim) : right + rim] = (
            0  # what was written there before
        )
    pen.text((x, y), text, ink, font)
    scale = coarsest(cap)
    if scale is not None:
        place[scale, max(0, top) : bottom, max(0, left) : right] = 1


def _colours(draw: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ink and plate, at least 90 grey levels apart, either of them the lighter."""
    dark, light = draw.integers(0, 100, 3), draw.integers(190, 256, 3)
    both = [tuple(int(v) for v in one) for one in (dark, light)]
    ink, plate = both if draw.random() < 0.5 else reversed(both)
    return ink, plate


@lru_cache(maxsize=1)
def fonts() -> list[Path]:
    """The text fonts of matplotlib, in the order of their names."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return sorted(path for path in folder.glob("DejaVuS*.ttf") if "Display" not in path.name)
