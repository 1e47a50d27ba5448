"""Cutting frames into square tiles, as models for large pictures see them, and laying tiles back.

Example::

    h, w = fit_long_side(3840, 2160, 896)            # (504, 896) grid = TileGrid.cover(h, w, tile=224)
    # 3 rows x 4 columns, 168 rows of padding at the bottom tiles = grid.split(frames)
    # (T, 504, 896, 3) -> (12, T, 224, 224, 3) frames = grid.join(tiles)                        # and back,
    padding dropped grid.boxes(3840, 2160)[5]                        # tile 5's (left, top, right, bottom)
    in the original frame

Tiles are numbered row by row. Padding lies at the right and at the bottom only, so that a position in the
picture is the same position in the padded one. Arrays of numpy and tensors of torch both work.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from hlvid.errors import HlvidError

Pixels = TypeVar("Pixels")
"""A numpy array or a torch tensor; what goes in comes out."""

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels; right and bottom are exclusive."""


def fit_long_side(width: int, height: int, resolution: int) -> tuple[int, int]:
    """(height, width), even numbers, of a `width` x `height` picture whose long side becomes `resolution`.

    The aspect ratio is kept up to rounding to even numbers (4:2:0 chroma); pictures also grow if asked to.
    """
    if min(width, height) < 1 or resolution < 2:
        raise HlvidError(
            f"cannot fit {width} x {height} into {resolution} px; sizes and resolution have to be positive"
        )
    scale = resolution / max(width, height)
    return _even(height * scale), _even(width * scale)


def _even(value: float) -> int:
    return max(2, 2 * math.floor(value / 2 + 0.5))


def aspect_grid(width: int, height: int, max_tiles: int, tile: int = 392) -> "TileGrid":
    """The grid of at most `max_tiles` full tiles whose shape is closest to the picture's: NVILA-HD's choice.

    3840 x 2160 at 48 tiles of 392 px gives 9 columns x 5 rows, 3528 x 1960 px. Of grids equally close the one
    with more tiles is taken if the picture has pixels to fill at least half of it, else the smaller one
    (InternVL's rule, which VILA inherited). The picture is then resized to exactly (grid.height, grid.width).
    """
    if min(width, height, max_tiles, tile) < 1:
        raise HlvidError(
            f"no grid for {width} x {height} px with {max_tiles} tiles of {tile} px; "
            "all have to be at least 1"
        )
    wanted = width / height
    pairs = [(c, r) for c in range(1, max_tiles + 1) for r in range(1, max_tiles // c + 1)]
    pairs.sort(key=lambda pair: (pair[0] * pair[1], pair[0]))
    best, distance = (1, 1), math.inf
    for columns, rows in pairs:
        off = abs(wanted - columns / rows)
        fills = width * height > 0.5 * tile * tile * columns * rows
        if off < distance or (off == distance and fills):
            best, distance = (columns, rows), off
    columns, rows = best
    return TileGrid(rows=rows, cols=columns, tile=tile, height=rows * tile, width=columns * tile)


@dataclass(frozen=True)
class TileGrid:
    """`rows` x `cols` tiles of `tile` px over a picture of `height` x `width` px (the rest is padding)."""

    rows: int
    cols: int
    tile: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if min(self.rows, self.cols, self.tile, self.height, self.width) < 1:
            raise HlvidError(f"{self}: every number has to be at least 1")
        if self.height > self.rows * self.tile or self.width > self.cols * self.tile:
            raise HlvidError(f"{self}: the picture does not fit into the tiles; use TileGrid.cover")

    @classmethod
    def cover(cls, height: int, width: int, tile: int) -> "TileGrid":
        """The smallest grid of `tile` px tiles that covers a picture of `height` x `width` px."""
        if min(height, width, tile) < 1:
            raise HlvidError(f"no tiles of {tile} px cover {height} x {width} px; all have to be at least 1")
        return cls(math.ceil(height / tile), math.ceil(width / tile), tile, height, width)

    @property
    def count(self) -> int:
        """How many tiles there are: rows x cols."""
        return self.rows * self.cols

    def split(self, frames: Pixels, fill: int = 0) -> Pixels:
        """(T, height, width, C) -> (rows * cols, T, tile, tile, C); padding has the value `fill`."""
        x: Any = frames
        T, H, W, C = self._shape(x, 4, "frames")
        if (self.height, self.width) != (H, W):
            raise HlvidError(f"frames are {H} x {W} px, the grid is for {self.height} x {self.width}")
        padded = _full(x, (T, self.rows * self.tile, self.cols * self.tile, C), fill)
        padded[:, :H, :W] = x
        cells = padded.reshape(T, self.rows, self.tile, self.cols, self.tile, C)
        tiles: Pixels = _axes(cells, (1, 3, 0, 2, 4, 5)).reshape(self.count, T, self.tile, self.tile, C)
        return tiles

    def join(self, tiles: Pixels) -> Pixels:
        """(rows * cols, T, tile, tile, C) -> (T, height, width, C): the inverse of `split`."""
        x: Any = tiles
        N, T, H, W, C = self._shape(x, 5, "tiles")
        if (self.count, self.tile, self.tile) != (N, H, W):
            raise HlvidError(
                f"tiles are {N} of {H} x {W} px, the grid has {self.count} of {self.tile} x {self.tile}"
            )
        cells = _axes(x.reshape(self.rows, self.cols, T, H, W, C), (2, 0, 3, 1, 4, 5))
        full = cells.reshape(T, self.rows * self.tile, self.cols * self.tile, C)
        frames: Pixels = full[:, : self.height, : self.width]
        return frames

    def boxes(self, frame_width: int, frame_height: int) -> list[Box]:
        """Each tile's box in pixels of the original frame, cut at the picture's edge, in tile order."""
        sx, sy = frame_width / self.width, frame_height / self.height
        return [
            (
                c * self.tile * sx,
                r * self.tile * sy,
                min((c + 1) * self.tile, self.width) * sx,
                min((r + 1) * self.tile, self.height) * sy,
            )
            for r in range(self.rows)
            for c in range(self.cols)
        ]

    def to_frame(self, tile: int, box: Box, frame_width: int, frame_height: int) -> Box:
        """A box inside tile number `tile` (pixels of that tile) in pixels of the original frame.

        Parts that lie in the padding are cut off; a box wholly inside the padding comes back empty.
        """
        if not 0 <= tile < self.count:
            raise HlvidError(f"tile {tile} asked of a grid of {self.count}; allowed: 0 to {self.count - 1}")
        row, col = divmod(tile, self.cols)
        sx, sy = frame_width / self.width, frame_height / self.height
        left, right = (min(col * self.tile + x, self.width) * sx for x in (box[0], box[2]))
        top, bottom = (min(row * self.tile + y, self.height) * sy for y in (box[1], box[3]))
        return (left, top, right, bottom)

    @staticmethod
    def _shape(x: Any, dims: int, name: str) -> tuple[int, ...]:
        if x.ndim != dims:
            raise HlvidError(f"{name} have shape {tuple(x.shape)}; {dims} dimensions are needed")
        return tuple(x.shape)


def _full(like: Any, shape: tuple[int, ...], fill: int) -> Any:
    """An array of `like`'s kind and type, filled."""
    if isinstance(like, np.ndarray):
        return np.full(shape, fill, dtype=like.dtype)
    return like.new_full(shape, fill)


def _axes(x: Any, order: tuple[int, ...]) -> Any:
    return x.transpose(order) if isinstance(x, np.ndarray) else x.permute(order)
