"""Generated pictures with text whose place is known: what a gaze that is to read is taught on, without any detector.

A square is larger than a tile, so that many tiles are cut from one. Four squares in ten have no text, and some of all
have plates without any; the others have one to three signs (`text_signs`) of 4 to 60 px cap height. Grounds and things
are the generator's (`text_grounds`) or windows of recordings. Blur, noise and JPEG leave their marks.
No code here comes from `hlvid.mini`; which clutter there is was chosen with its development set in view.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from autogaze.selectors.text import READABLE, coarsest
from autogaze.training.text_grounds import ground
from autogaze.training.text_signs import Line, put_sign

SIZE = SCALES[-1]
SQUARE = 288
"""Side of a square in px."""
HELD_OUT = 10_000_000
"""Seeds from here on are never trained on."""
LINES = 6
"""Lines of a square, at most."""
ALMOST = 0.85
"""Of the height from which on a scale shows letters readably: between this and that a line counts neither way."""


@dataclass(frozen=True)
class Squares:
    """pictures: uint8 (N, 288, 288, 3). lines: float32 (N, LINES, 5), left, top, right, bottom and height of capitals
    in px, zeros where there are fewer."""

    pictures: NDArray[np.uint8]
    lines: NDArray[np.float32]


@dataclass(frozen=True)
class Wanted:
    """show: bool (N, 265), the tokens that show a line at the coarsest scale at which it can be read. spare: those of
    lines that nearly can, or are nearly outside: they count neither way."""

    show: NDArray[np.bool_]
    spare: NDArray[np.bool_]


def square(seed: int, grounds: NDArray[np.uint8] | None = None) -> tuple[NDArray[np.uint8], list[Line]]:
    """A picture and its lines, the same for the same seed.

    grounds: uint8 (N, 288, 288, 3) without text, taken for three pictures in ten.
    """
    draw = np.random.default_rng([seed, 21])
    if grounds is not None and draw.random() < 0.3:
        window = grounds[draw.integers(len(grounds))]
        picture = Image.fromarray(np.ascontiguousarray(window[:, ::-1] if draw.random() < 0.5 else window))
    else:
        picture = ground(draw, SQUARE)
    taken: list[NDArray[np.float64]] = []
    for _ in range(int(draw.integers(0, 3)) if draw.random() < 0.5 else 0):
        put_sign(picture, draw, taken, written=False)
    signs = int(draw.integers(1, 4)) if draw.random() < 0.6 else 0
    lines = [line for _ in range(signs) for line in put_sign(picture, draw, taken)]
    return recorded(np.asarray(picture), draw), lines


def squares(seeds: range, grounds: NDArray[np.uint8] | None = None) -> Squares:
    pictures = np.empty((len(seeds), SQUARE, SQUARE, 3), np.uint8)
    told = np.zeros((len(seeds), LINES, 5), np.float32)
    for n, seed in enumerate(seeds):
        pictures[n], lines = square(seed, grounds)
        for m, line in enumerate(lines):
            told[n, m] = (*line.box, line.cap)
    return Squares(pictures, told)


def tile(seed: int) -> tuple[Tensor, Tensor]:
    """The middle of a square: uint8 (3, 224, 224), and which share of every patch shows a line whose coarsest readable
    scale this is, float32 (4, 14, 14)."""
    shown, lines = square(seed)
    start = (SQUARE - SIZE) // 2
    place = np.zeros((len(SCALES), SIZE, SIZE), np.float32)
    for line in lines:
        if (scale := coarsest(line.cap)) is not None:
            left, top, right, bottom = (max(0, round(side) - start) for side in line.box)
            place[scale, top:bottom, left:right] = 1
    picture = shown[start : start + SIZE, start : start + SIZE].transpose(2, 0, 1)
    shares = torch.nn.functional.avg_pool2d(torch.from_numpy(place), PATCH_SIZE)
    return torch.from_numpy(np.ascontiguousarray(picture)), shares


def tiles(seeds: range) -> tuple[Tensor, Tensor]:
    """Many: uint8 (N, 3, 224, 224), float32 (N, 4, 14, 14)."""
    made = [tile(seed) for seed in seeds]
    return torch.stack([picture for picture, _ in made]), torch.stack([place for _, place in made])


def wanted(lines: NDArray[np.float32], corners: NDArray[np.int64]) -> Wanted:
    """Of tiles whose left and top edge in their squares are `corners`, (N, 2); lines as in `Squares`."""
    shift = np.concatenate([corners, corners], 1).astype(np.float32)[:, None]
    box, cap = lines[..., :4] - shift, lines[..., 4]
    heights = np.stack([cap * scale / SIZE for scale in SCALES], -1)
    readable, nearly = heights[..., -1] >= READABLE, heights[..., -1] >= READABLE * ALMOST
    scale = np.where(readable, (heights >= READABLE).argmax(-1), len(SCALES) - 1)
    inside = np.minimum(box[..., 2:], SIZE) - np.maximum(box[..., :2], 0)
    whole = (inside[..., 0] >= 0.5 * cap) & (inside[..., 1] >= 0.6 * cap)
    show, spare = [], []
    for s, side in enumerate(grid_sides()):
        cells = touched(box, cap, side) & (nearly & (scale == s))[..., None]
        sure = cells & (readable & whole)[..., None]
        show.append(sure.any(1))
        spare.append((cells & ~sure).any(1) & ~sure.any(1))
    return Wanted(np.concatenate(show, 1), np.concatenate(spare, 1))


def touched(
    box: NDArray[np.float32], cap: NDArray[np.float32], side: int, size: int = SIZE
) -> NDArray[np.bool_]:
    """Which patches of a tile's grid each line is in, bool (N, LINES, side * side); a hair of it is not looked at."""
    unit, at = size / side, np.arange(side)
    along, down = (
        np.minimum(box[..., axis + 2, None], (at + 1) * unit) - np.maximum(box[..., axis, None], at * unit)
        for axis in (0, 1)
    )
    wide, tall = along > 0.12 * cap[..., None], down > 0.08 * cap[..., None]
    both: NDArray[np.bool_] = tall[..., :, None] & wide[..., None, :]
    return both.reshape(*cap.shape, -1)


def shades(draw: np.random.Generator, count: int) -> NDArray[np.float32]:
    """From grey levels to [0, 1], (count, 256): other contrasts, three in ten inverted."""
    level = np.arange(256) / 255
    strength, middle = draw.uniform(0.6, 1.15, (count, 1)), draw.uniform(0.4, 0.6, (count, 1))
    turned = np.where(draw.random((count, 1)) < 0.3, 1 - level, level)
    return np.clip((turned - 0.5) * strength + middle, 0, 1).astype(np.float32)


def recorded(picture: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    """As a camera and a codec leave it: soft, noisy, each in part, and with JPEG's blocks."""
    shown = picture
    if draw.random() < 0.5:
        shown = cv2.GaussianBlur(shown, (0, 0), draw.uniform(0.3, 0.8)).astype(np.uint8)
    if draw.random() < 0.3:
        noisy = shown + draw.normal(0, draw.uniform(0, 7), shown.shape)
        shown = np.clip(noisy, 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(35, 97))]
    ok, coded = cv2.imencode(".jpg", shown[..., ::-1], quality)
    assert ok, "OpenCV is built without JPEG"
    return np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1])


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
