"""What stands beside and above the road: sky, hills, houses with posters, trees that stream past, a truck.

strip = horizon_strip(seed=1)                  # RGB (HORIZON, wider than the frame, 3)
for sprite, x, y in Trees(seed=1).at(35.0):    # far to near, after 35 driven metres
    stage.put(sprite, x, y)
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hlvid.mini.board import even, rounded
from hlvid.mini.canvas import Sprite
from hlvid.mini.chance import Stream, seed_of
from hlvid.mini.ground import HORIZON, F, H
from hlvid.mini.text import text_mask
from hlvid.mini.texture import RGB, brick, clouds, foliage, paint, tint

Kind = TypeVar("Kind", np.uint8, np.bool_)
STRIP_WIDTH = 3840 + 480
TREE_SPACING, TREE_COUNT, TREE_SIDE, TREE_TALL = 22.0, 7, 11.5, 8.0  # m, number a side, m, m
TREE_SIZES = tuple(even(32 * 17**i // 16**i) for i in range(72))  # px, each 6 % taller than the one before
NAMES = ("ATLAS", "LOTUS", "MOTEL", "SALON", "TAMIL", "MIMOSA", "LIMA", "SOLTA")


def horizon_strip(seed: int) -> RGB:
    """Sky over hills over a row of houses and trees: RGB (HORIZON, STRIP_WIDTH, 3)."""
    sky = clouds(seed, HORIZON, STRIP_WIDTH, (8, 7, 5, 3, 1), stretch=1)
    fade = np.arange(HORIZON, dtype=np.int32)[:, None] * 90 // HORIZON
    strip = tint(
        np.clip(sky.astype(np.int32) * 3 // 4 + fade, 0, 255).astype(np.uint8),
        (92, 138, 190),
        (236, 240, 244),
    )
    _ridge(
        strip, seed + 1, 300, foliage(seed + 2, HORIZON, STRIP_WIDTH) // 2 + np.array((62, 78, 92), np.uint8)
    )
    _houses(strip, seed + 3)
    _ridge(strip, seed + 4, 110, foliage(seed + 5, HORIZON, STRIP_WIDTH))
    return strip


def _ridge(strip: RGB, seed: int, tall: int, surface: RGB) -> None:
    """Fill with `surface` below an uneven line about `tall` px above the horizon."""
    line = clouds(seed, 1, STRIP_WIDTH, (8, 6, 4, 2))[0].astype(np.int32)
    top = HORIZON - tall * (line + 60) // 190
    below = np.arange(HORIZON)[:, None] >= top[None, :]
    strip[below] = surface[below]


def _houses(strip: RGB, seed: int) -> None:
    stream = Stream(seed, "houses")
    x = 60
    while x < STRIP_WIDTH - 500:
        width, height = 300 + 2 * stream.below(100), 260 + 2 * stream.below(140)
        house = brick(stream.bits(), height, width, 12, 36)
        if stream.below(2):
            house = paint(
                stream.bits(), height, width, (170 + stream.below(50), 160, 130 + stream.below(40)), 18
            )
        for top in range(30, height - 150, 90):
            for left in range(30, width - 60, 80):
                house[top : top + 56, left : left + 40] = (50, 62, 78)
                house[top : top + 56, left + 18 : left + 21] = (214, 210, 200)
        _shop_board(house, stream)
        strip[HORIZON - height :, x : x + width] = house
        x += width + 2 * stream.below(160)


def _shop_board(house: RGB, stream: Stream) -> None:
    """A name over the door, which no question asks about."""
    mask = text_mask(stream.choice(NAMES), 14 + stream.below(14))
    top = house.shape[0] - 140
    house[top : top + mask.shape[0] + 16, 20 : mask.shape[1] + 44] = (64, 72, 84)
    area = house[top + 8 : top + 8 + mask.shape[0], 32 : 32 + mask.shape[1]]
    area[mask[:, : area.shape[1]] > 110] = (208, 200, 176)


class Trees:
    """Two endless rows of trees; each of TREE_SIZES is made once and kept."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._masters = [_tree(seed_of(seed, "tree", kind)) for kind in range(3)]
        self._scaled: dict[tuple[int, int], Sprite] = {}

    def at(self, driven: float) -> Iterator[tuple[Sprite, int, int]]:
        """(sprite, x, y) of all trees in view, far to near, after `driven` metres."""
        first = int(driven / TREE_SPACING) + 1
        for number in range(first + TREE_COUNT, first - 1, -1):
            distance = number * TREE_SPACING - driven + 12.0
            tall = even(F / distance * TREE_TALL)
            foot = HORIZON + F * H / distance
            for side in (-1, 1):
                sprite = self._sized((2 * number + side) % 3, tall)
                x = even(1920 + side * F / distance * TREE_SIDE - sprite.width / 2)
                if -sprite.width < x < 3840:
                    yield sprite, x, even(foot) - sprite.height

    def _sized(self, kind: int, tall: int) -> Sprite:
        tall = next(size for size in TREE_SIZES if size >= tall)
        if (kind, tall) not in self._scaled:
            self._scaled[kind, tall] = _nearest(self._masters[kind], tall)
        return self._scaled[kind, tall]


def _nearest(master: Sprite, tall: int) -> Sprite:
    """`master` at another height, by picking pixels."""
    width = even(tall * master.width / master.height)

    def pick(plane: NDArray[Kind]) -> NDArray[Kind]:
        rows, columns = (tall, width) if plane.shape == master.y.shape else (tall // 2, width // 2)
        picked: NDArray[Kind] = plane[
            (np.arange(rows) * plane.shape[0] // rows)[:, None],
            np.arange(columns) * plane.shape[1] // columns,
        ]
        return picked

    assert master.mask is not None and master.chroma_mask is not None
    return Sprite(pick(master.y), pick(master.u), pick(master.v), pick(master.mask), pick(master.chroma_mask))


def _tree(seed: int) -> Sprite:
    """A tree, 700 x 1100: ragged crown on a trunk."""
    height, width = 1100, 700
    rgb = foliage(seed, height, width)
    rows, columns = np.arange(height)[:, None] - 420, np.arange(width)[None, :] - width // 2
    ragged = clouds(seed + 1, height, width, (6, 4, 3)).astype(np.int32) * 360
    mask = rows * rows * 2 // 3 + columns * columns + ragged < 150_000
    trunk = (np.abs(columns) < 26) & (rows > 100)
    rgb[trunk & ~mask] = (74, 58, 44)
    light = (columns < 0) & mask
    rgb[light] = np.minimum(rgb[light].astype(np.int32) * 5 // 4, 255).astype(np.uint8)
    return Sprite.from_rgb(rgb, mask | trunk)


def truck(seed: int) -> Sprite:
    """A lorry seen from the side, 1200 x 620, without text."""
    height, width = 620, 1200
    rgb = paint(seed, height, width, (196, 198, 202), 16)
    mask = rounded(height, width, 30)
    rgb[:, ::60] //= 2
    rgb[300:330] = (186, 60, 40)
    rgb[:, 930:960] = 30
    rgb[120:300, 1000:1160] = (46, 60, 76)
    rgb[540:] = 34
    mask[:90, 950:] = False
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    mask[560:] = False
    for x in (180, 330, 1060):
        wheel = (rows - 550) ** 2 + (columns - x) ** 2
        mask |= wheel < 68**2
        rgb[wheel < 68**2] = 24
        rgb[wheel < 30**2] = 150
    return Sprite.from_rgb(rgb, mask)
