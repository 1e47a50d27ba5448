"""Many small regions on few canvases: a text detector has a price a call and a price a pixel.

Regions keep their scale. They are laid on shelves, tallest first, with a grey gap that keeps neighbours'
words apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hlvid.video.picture import Picture

GAP = 8
SIDE = 1536
"""Usual side of a canvas in px; a larger region gets a larger canvas."""
GREY = 127
STEP = 32
"""The detector wants sides that are multiples of this; others would be resized."""


@dataclass(frozen=True)
class Placement:
    """Region number `item` lies at (left, top), `width` x `height` px large."""

    item: int
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Sheet:
    """One canvas: its size in px and what lies where."""

    width: int
    height: int
    placements: tuple[Placement, ...]

    def draw(self, crops: Sequence[Picture]) -> Picture:
        """The canvas, uint8 (height, width, 3), with each placed crop copied unchanged."""
        canvas = np.full((self.height, self.width, 3), GREY, np.uint8)
        for place in self.placements:
            bottom, right = place.top + place.height, place.left + place.width
            canvas[place.top : bottom, place.left : right] = crops[place.item]
        return canvas

    def find(self, x: float, y: float) -> Placement | None:
        """The placement that holds the point."""
        for place in self.placements:
            if 0 <= x - place.left < place.width and 0 <= y - place.top < place.height:
                return place
        return None


def pack(sizes: Sequence[tuple[int, int]], side: int = SIDE) -> list[Sheet]:
    """Lay rectangles of `sizes` (height, width) on canvases about `side` px a side; every item once."""
    if not sizes:
        return []
    width = max(side, max(w for _, w in sizes) + 2 * GAP)
    height = max(side, max(h for h, _ in sizes) + 2 * GAP)
    sheets: list[Sheet] = []
    placed: list[Placement] = []
    x = y = GAP
    shelf = 0
    for item in sorted(range(len(sizes)), key=lambda i: (-sizes[i][0], -sizes[i][1], i)):
        h, w = sizes[item]
        if x + w + GAP > width:
            x, y, shelf = GAP, y + shelf + GAP, 0
        if y + h + GAP > height:
            sheets.append(_sheet(placed))
            placed, x, y, shelf = [], GAP, GAP, 0
        placed.append(Placement(item, x, y, w, h))
        x, shelf = x + w + GAP, max(shelf, h)
    return [*sheets, _sheet(placed)]


def _sheet(placed: list[Placement]) -> Sheet:
    """A canvas no larger than what lies on it needs."""
    right = max(place.left + place.width for place in placed) + GAP
    bottom = max(place.top + place.height for place in placed) + GAP
    return Sheet(-(-right // STEP) * STEP, -(-bottom // STEP) * STEP, tuple(placed))
