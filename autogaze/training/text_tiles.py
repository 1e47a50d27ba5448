"""Generated tiles with text and its place: what a gaze that is to read is taught on, without any detector.

Example::

    picture, place = tile(seed=7)     # uint8 (3, 224, 224), float32 (4, 14, 14): share of each patch under text

`place` has a channel a scale: a line is in that of the coarsest scale at which it can be read, in none if it is too
small. Six tiles in ten have no text. The others have one to three lines, most on plates, in the fonts that come with
matplotlib, of 4 to 80 px cap height; grounds and things are the generator's, striped and checked ones among them, and
JPEG leaves its marks.
Nothing here comes from `hlvid.mini`.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.selectors.text import coarsest
from autogaze.training.generator_sprites import cutout, texture

SIZE = SCALES[-1]
CAPS = (4.0, 80.0)
WITH_TEXT = 0.4
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -.:/"
CAP = 0.73
"""Height of capitals, of a font's size."""


def tile(seed: int) -> tuple[Tensor, Tensor]:
    """See the module; the same for the same seed."""
    draw = np.random.default_rng([seed, 11])
    picture, place = (
        Image.fromarray(texture(draw, SIZE, SIZE)),
        np.zeros((len(SCALES), SIZE, SIZE), np.float32),
    )
    for _ in range(int(draw.integers(0, 7))):
        thing = Image.fromarray(cutout(draw))
        picture.paste(thing, tuple(draw.integers(-40, SIZE, 2).tolist()), thing)
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


def tiles(seeds: range) -> tuple[Tensor, Tensor]:
    """Many: uint8 (N, 3, 224, 224), float32 (N, 4, 14, 14)."""
    made = [tile(seed) for seed in seeds]
    return torch.stack([picture for picture, _ in made]), torch.stack([place for _, place in made])


def _write(picture: Image.Image, place: NDArray[np.float32], draw: np.random.Generator) -> None:
    """Put one line somewhere, on a plate or on the ground, and note in `place` what its letters cover."""
    low, high = np.log(CAPS)
    cap = float(np.exp(draw.uniform(low, high)))
    fonts = _fonts()
    font = ImageFont.truetype(str(fonts[draw.integers(len(fonts))]), max(5, round(cap / CAP)))
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
def _fonts() -> list[Path]:
    """The text fonts of matplotlib, in the order of their names."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return sorted(path for path in folder.glob("DejaVuS*.ttf") if "Display" not in path.name)
