"""Which frames of a video, and into which tiles they are cut: pure functions of sizes and counts.

>>> tile_grid(3840, 2160, max_tiles=48, side=392)               # frames of 3528 x 1960 px
Grid(rows=5, columns=9, side=392)
>>> uniform(900, 4), thumbnails(8, 4)
([0, 300, 599, 899], [0, 2, 4, 6])

`uniform` is `hlvid.video`'s `uniform_linspace`, which may not be imported here; a test holds the two together.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Grid:
    """`rows` x `columns` tiles of `side` px; frames are resized to exactly (height, width)."""

    rows: int
    columns: int
    side: int

    @property
    def tiles(self) -> int:
        return self.rows * self.columns

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.rows * self.side, self.columns * self.side

    def corner(self, tile: int) -> tuple[int, int]:
        """(top, left) of a tile, numbered row by row, in pixels."""
        row, column = divmod(tile, self.columns)
        return row * self.side, column * self.side


def tile_grid(width: int, height: int, max_tiles: int, side: int = 392) -> Grid:
    """The grid of at most `max_tiles` tiles whose aspect ratio is closest to the picture's.

    Of grids equally close the larger is taken if the picture has pixels to fill at least half of it
    (InternVL's rule, which VILA inherited). Raises ValueError for sizes below 1.
    """
    if min(width, height, max_tiles, side) < 1:
        raise ValueError(
            f"width={width}, height={height}, max_tiles={max_tiles}, side={side}: expected at least 1 each"
        )
    wanted = width / height
    pairs = [(c, r) for c in range(1, max_tiles + 1) for r in range(1, max_tiles // c + 1)]
    best, distance = (1, 1), float("inf")
    for columns, rows in sorted(pairs, key=lambda pair: (pair[0] * pair[1], pair[0])):
        off = abs(wanted - columns / rows)
        fills = width * height > 0.5 * side * side * columns * rows
        if off < distance or (off == distance and fills):
            best, distance = (columns, rows), off
    return Grid(rows=best[1], columns=best[0], side=side)


def uniform(frame_count: int, count: int) -> list[int]:
    """`count` evenly spaced frame numbers, first and last included; frames repeat where there are fewer."""
    if frame_count < 1 or count < 1:
        raise ValueError(f"frame_count={frame_count}, count={count}: expected at least 1 each")
    return [int(index) for index in np.round(np.linspace(0, frame_count - 1, count)).astype(np.int64)]


def thumbnails(frames: int, count: int) -> list[int]:
    """Which of `frames` sampled frames are also seen whole: every (frames // count)-th, `count` of them."""
    return list(range(frames))[:: max(1, frames // count)][:count] if count else []
