"""Lines of text to compose tiles from, and what a gaze has to look at where they stand."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from autogaze.gaze import SCALES, grid_sides
from autogaze.selectors.text import READABLE
from autogaze.training.objectives import LINE
from autogaze.training.text_tiles import LETTERS, fonts

SIZE = SCALES[-1]
CAP, STRIP = 32, (64, 512)
"""Of a strip: px of its capitals, whose middle is the strip's; height and width."""
TINY = 0.9
"""Of the height from which on a scale shows letters readably: between this and that a line may count or not."""
TOUCH = 0.06
"""Of its capitals' height: less than this of a line in a patch is not looked at."""


@dataclass(frozen=True)
class Strips:
    """Lines of text: masks uint8 (N, 64, 512), each from its left edge on, and their widths in px, (N,)."""

    masks: Tensor
    widths: NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """What was drawn for the lines of a batch; arrays (B, L).

    there: a line or an empty plate; written: a line. box: (B, L, 4), the capitals' left, top, right, bottom in px.
    """

    there: NDArray[np.bool_]
    written: NDArray[np.bool_]
    strip: NDArray[np.int64]
    cap: NDArray[np.float64]
    box: NDArray[np.float64]


def strips(count: int, seed: int) -> Strips:
    """Random words and codes in the fonts that come with matplotlib; the bold ones more often, as on signs."""
    draw = np.random.default_rng([seed, 13])
    faces = [ImageFont.truetype(str(path), 44) for path in fonts()]
    bold = [n for n, path in enumerate(fonts()) if "Bold" in path.name]
    masks, widths = np.zeros((count, *STRIP), np.uint8), np.zeros(count)
    for n in range(count):
        pick = int(draw.choice(bold)) if draw.random() < 0.5 else int(draw.integers(len(faces)))
        picture = Image.new("L", STRIP[::-1])
        text = _words(draw)
        while (width := faces[pick].getlength(text)) > STRIP[1] - 4:
            text = text[:-1]
        ImageDraw.Draw(picture).text((2, STRIP[0] / 2 + CAP / 2), text, 255, faces[pick], anchor="ls")
        masks[n], widths[n] = np.asarray(picture), width + 2
    return Strips(torch.from_numpy(masks), widths)


def _words(draw: np.random.Generator) -> str:
    """Capitals or not, with a code or not: "MILL 35C", "Harbour", "kF-20:1"."""
    upper, lower, digits = LETTERS[:26], LETTERS[26:52], LETTERS[52:62]
    if draw.random() < 0.25:
        return "".join(draw.choice(list(LETTERS), int(draw.integers(2, 14)))).strip() or "A"
    word = "".join(draw.choice(list(upper), int(draw.integers(2, 9))))
    if draw.random() < 0.3:
        word = word[0] + "".join(draw.choice(list(lower), len(word) - 1))
    code = "".join(draw.choice(list(digits + upper[:8]), int(draw.integers(1, 5))))
    return str(draw.choice([word, f"{word} {code}", f"{word} {code}", code + upper[0]]))


def worth(drawn: Drawn) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """`gains` and `spare` (see the module), (B, 265) each, of lines that stand where `drawn` says."""
    boxes, shape = _token_boxes(), (len(drawn.cap), sum(side * side for side in grid_sides()))
    gains, spare = np.zeros(shape, np.float32), np.zeros(shape, bool)
    shown = np.stack([drawn.cap * scale / SIZE for scale in SCALES], -1)
    level = (shown >= READABLE).argmax(-1)
    readable, almost = shown[..., -1] >= READABLE, shown[..., -1] >= READABLE * TINY
    scales = np.repeat(np.arange(len(SCALES)), [side * side for side in grid_sides()])
    for n in range(drawn.cap.shape[1]):
        left, top, right, bottom = drawn.box[:, n].T[..., None]
        slack = TOUCH * (bottom - top)
        touched = (
            (boxes[:, 0] < right)
            & (boxes[:, 2] > left)
            & (boxes[:, 1] < bottom - slack)
            & (boxes[:, 3] > top + slack)
        )
        wide = np.minimum(right, SIZE) - np.maximum(left, 0)
        tall = np.minimum(bottom, SIZE) - np.maximum(top, 0)
        whole = ((wide >= bottom - top) & (tall >= 0.8 * (bottom - top)))[:, 0]
        mine = touched & (
            scales == np.where(almost[:, n], np.where(readable[:, n], level[:, n], 3), -1)[:, None]
        )
        mine &= drawn.written[:, n, None]
        counts = whole & readable[:, n]
        share = np.float32(LINE) / np.maximum(mine.sum(1, keepdims=True), 1)
        gains = np.maximum(gains, mine * counts[:, None] * share).astype(np.float32)
        spare |= mine & ~counts[:, None]
    return gains, spare & (gains == 0)


def _token_boxes() -> NDArray[np.float64]:
    """Left, top, right, bottom of the 265 tokens in px of the tile."""
    parts = []
    for side in grid_sides():
        unit, (row, column) = SIZE / side, np.divmod(np.arange(side * side), side)
        parts.append(np.stack([column * unit, row * unit, (column + 1) * unit, (row + 1) * unit], 1))
    return np.concatenate(parts)
