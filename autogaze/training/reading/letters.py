"""What an encoder sees of pictures: which gazed patches each line is in, and which characters are in its own patches.

It sees tiles of 224 px at four scales, or whole frames at one (`View`).

A gaze is in patches of 16 px; each is four of the encoder's. A line is gazed at the coarsest scale at which it can be
read. A character belongs to the patch that holds its middle; a patch has room for two.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.encoders.patches import Grid
from autogaze.gaze import SCALES
from autogaze.selectors.text import READABLE
from autogaze.training.reading.pictures import Pictures
from autogaze.training.text_tiles import touched

PATCH = 8
"""Px of the encoder's patches."""
SLOTS = 2
IGNORE = -100
"""Of a character that cannot be told: a tile's edge cuts it, or its patch shows it too coarsely or too finely."""
NEARLY = 0.6
"""Of `READABLE`: a line below this is taken for none."""
CUT = (0.3, 0.2)
"""Share of a character's width and height that a tile's edge may take from it."""


@dataclass(frozen=True)
class View:
    """What an encoder sees at a time. scales: px, coarse first, as in its `SiglipConfig`."""

    scales: tuple[int, ...]

    @property
    def side(self) -> int:
        """Px of a tile, or of a whole frame."""
        return self.scales[-1]

    @property
    def whole(self) -> bool:
        """Whether it sees frames, and every patch of them."""
        return len(self.scales) == 1

    @property
    def grid(self) -> Grid:
        return Grid(self.scales, PATCH)

    @property
    def sides(self) -> tuple[int, ...]:
        """Gazed patches of a row, at each scale."""
        return tuple(scale // (2 * PATCH) for scale in self.scales)

    @property
    def cells(self) -> int:
        """Gazed patches: 265 of a tile."""
        return sum(side * side for side in self.sides)

    @cached_property
    def quarters(self) -> NDArray[np.int64]:
        """(cells, 4): the encoder's patches in each gazed one."""
        parts = []
        for side, start in zip(self.sides, _starts(self.grid.sides)[:-1], strict=True):
            row, column = np.divmod(np.arange(side * side), side)
            first = start + 4 * row * side + 2 * column
            parts.append(np.stack([first, first + 1, first + 2 * side, first + 2 * side + 1], 1))
        return np.concatenate(parts)


TILES = View(SCALES)


@dataclass(frozen=True)
class Shown:
    """Of B tiles or frames. cells: bool (B, L, cells), the gazed patches that each line is in. letters: int64
    (B, tokens, 2), 0 for no character. whole: bool (B, L, C), the characters that are seen whole."""

    cells: NDArray[np.bool_]
    letters: NDArray[np.int64]
    whole: NDArray[np.bool_]


def shown(known: Pictures, picked: NDArray[np.int64], corners: NDArray[np.int64], view: View) -> Shown:
    """What is seen whose left and top edges in pictures `picked` (B,) are `corners` (B, 2)."""
    box = known.lines[picked, :, :4] - np.concatenate([corners, corners], 1)[:, None].astype(np.float32)
    cap = known.lines[picked, :, 4]
    heights = np.stack([cap * scale / view.side for scale in view.scales], -1)
    readable, nearly = heights[..., -1] >= READABLE, heights[..., -1] >= READABLE * NEARLY
    scale = np.where(readable, (heights >= READABLE).argmax(-1), len(view.scales) - 1)
    lines, every = [], []
    for s, side in enumerate(view.sides):
        every.append(touched(box, cap, side, view.side) & nearly[..., None])
        lines.append(every[-1] & (readable & (scale == s))[..., None])
    cells = np.concatenate(lines, -1)
    letters = np.zeros(
        (len(box), view.grid.tokens + 1, SLOTS), np.int64
    )  # the last row takes what is outside
    tile, cell = np.nonzero(np.concatenate(every, -1).any(1) & ~cells.any(1))
    letters[tile[:, None], view.quarters[cell]] = IGNORE
    place, said, whole = _characters(known.text[picked], known.ends[picked], box, cap, scale, readable, view)
    second = np.zeros(place.shape, np.int64)
    second[..., 1:] = place[..., 1:] == place[..., :-1]
    letters[np.arange(len(box))[:, None, None], place, second] = said
    return Shown(cells, letters[:, :-1], whole)


def _characters(
    text: NDArray[np.int8],
    ends: NDArray[np.float32],
    box: NDArray[np.float32],
    cap: NDArray[np.float32],
    scale: NDArray[np.int64],
    readable: NDArray[np.bool_],
    view: View,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Of characters, (B, L, C) each: patch, or the number of patches where there is none; class or IGNORE; whole."""
    right = box[..., 0, None] + ends
    left = box[..., 0, None] + np.pad(ends, ((0, 0), (0, 0), (1, 0)))[..., :-1]
    bottom = np.broadcast_to(box[..., 3, None], right.shape)
    top = bottom - cap[..., None]
    across, down = (left + right) / 2, (top + bottom) / 2
    inside = (across >= 0) & (across < view.side) & (down >= 0) & (down < view.side)
    there = (text > 0) & readable[..., None] & inside
    grid = view.grid
    side = np.array(grid.sides)[scale][..., None]
    column, row = (
        np.clip((middle / view.side * side).astype(np.int64), 0, side - 1) for middle in (across, down)
    )
    place = np.where(there, _starts(grid.sides)[scale][..., None] + row * side + column, grid.tokens)
    cut = np.zeros(there.shape, bool)
    for low, high, most in ((left, right, CUT[0]), (top, bottom, CUT[1])):
        cut |= np.clip(-low, 0, None) + np.clip(high - view.side, 0, None) > most * (high - low)
    return place, np.where(cut, IGNORE, text.astype(np.int64)), there & ~cut


def masks(cells: NDArray[np.bool_], view: View) -> NDArray[np.bool_]:
    """The encoder's patches of gazed ones: (B, cells) -> (B, tokens)."""
    out = np.zeros((len(cells), view.grid.tokens), bool)
    tile, cell = np.nonzero(cells)
    out[tile[:, None], view.quarters[cell]] = True
    return out


def cut(
    known: Pictures,
    picked: NDArray[np.int64],
    corners: NDArray[np.int64],
    tables: NDArray[np.float32],
    side: int,
) -> Tensor:
    """Pixels of `side` px, float (B, 3, side, side) in [0, 1]; tables: (B, 256), from grey levels."""
    pixels = np.empty((len(picked), side, side, 3), np.float32)
    for n, (left, top) in enumerate(corners):
        pixels[n] = tables[n][known.pixels[picked[n], top : top + side, left : left + side]]
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def _starts(sides: tuple[int, ...]) -> NDArray[np.int64]:
    return np.cumsum([0, *[side * side for side in sides]])
