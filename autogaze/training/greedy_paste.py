"""Greedy search with the closed-form reconstructor, frame after frame; used through `greedy.search_by`.

All cells of all scales are unions of 8 px blocks, so a frame is searched on a map of 28 x 28 blocks: the error
of what is shown now, and the error that each scale would leave. A token's gain is the sum of the differences
over its blocks where it would be shown; taking it changes the map under it alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from autogaze.reconstruction.paste import resampling

BLOCK = 8
SIDE = SCALES[-1]
BLOCKS = SIDE // BLOCK
SIDES = grid_sides()
FINEST = len(SIDES) - 1
SHARP = len(SIDES)
"""Rank of pixels known from the finest scale; those of coarse scale k have rank k + 1 while it is this frame's."""

FIRST = tuple(sum(side * side for side in SIDES[:k]) for k in range(len(SIDES)))
Map = NDArray[np.float64]
Floats = NDArray[np.float32]


class Replayed(NamedTuple):
    """What a list was worth.

    gains: (N, 265), what every token would have taken off the frame's summed error before each slot; minus
    infinity for those taken already. losses: the frame's L1 (normalised pixels) after each slot.
    """

    gains: Map
    losses: tuple[float, ...]


class PasteSearch:
    """What earlier frames left behind, and the search of the next frame.

    shown: float (3, 224, 224) in [0, 1], the picture so far; grey where nobody looked.
    sharp: bool (28, 28), blocks known from the finest scale, which coarse tokens never paint over.
    """

    def __init__(self, memory: bool = True) -> None:
        self.memory = memory
        self._forget()

    def _forget(self) -> None:
        self.shown: Floats = np.full((3, SIDE, SIDE), 0.5, np.float32)
        self.sharp: NDArray[np.bool_] = np.zeros((BLOCKS, BLOCKS), bool)

    def frame(
        self, pixels: Floats, count: int, stop: float | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Take `count` tokens: their ids in order, and the frame's L1 (normalised pixels) after each.

        stop: take no more once the loss is this low. allowed: bool (265,), False at tokens never to take.
        """
        views, board = self._open(pixels, allowed)
        order: list[int] = []
        losses: list[float] = []
        while len(order) < count and (stop is None or not losses or losses[-1] > stop):
            order.append(board.take())
            losses.append(board.loss())
        self._close(views, board)
        return tuple(order), tuple(losses)

    def replay(self, pixels: Floats, order: Sequence[int]) -> "Replayed":
        """Take given tokens, whoever chose them."""
        views, board = self._open(pixels)
        gains = np.empty((len(order), len(board.gains)))
        losses = []
        for slot, token in enumerate(order):
            gains[slot] = board.gains
            board.take(token)
            losses.append(board.loss())
        self._close(views, board)
        return Replayed(gains, tuple(losses))

    def _open(self, pixels: Floats, allowed: NDArray[np.bool_] | None = None) -> tuple[list[Floats], "Board"]:
        if not self.memory:
            self._forget()
        views = [as_shown(pixels, side) for side in SIDES]
        left = [_errors(view, pixels) for view in views]
        return views, Board(_errors(self.shown, pixels), left, self.sharp, allowed)

    def _close(self, views: list[Floats], board: "Board") -> None:
        """Keep what this frame has shown for the next."""
        for k, view in enumerate(views):
            new = (board.rank == k + 1) if k < FINEST else board.fresh
            self.shown = np.where(_pixels(new), view, self.shown)
        self.sharp = board.rank == SHARP


class Board:
    """One frame's blocks during a search.

    error: (28, 28) of what is shown; left[k]: what scale k would leave; rank: how fine each block is known.
    fresh: blocks that this frame's finest scale has shown.
    """

    def __init__(
        self, error: Map, left: list[Map], sharp: NDArray[np.bool_], allowed: NDArray[np.bool_] | None = None
    ) -> None:
        self.error, self.left = error.copy(), left
        self.rank = np.where(sharp, SHARP, 0)
        self.fresh = np.zeros_like(sharp)
        self.total = float(error.sum())
        self.gains: Map = np.zeros(FIRST[-1] + SIDES[-1] ** 2)
        if allowed is not None:
            self.gains[~allowed] = -np.inf
        for k in range(len(SIDES)):
            self._refresh(k, slice(0, BLOCKS), slice(0, BLOCKS))

    def take(self, token: int | None = None) -> int:
        """Take a token: by default the one that gains most, the earliest of equals."""
        token = int(self.gains.argmax()) if token is None else token
        k = max(scale for scale in range(len(SIDES)) if token >= FIRST[scale])
        cell = BLOCKS // SIDES[k]
        row, col = divmod(token - FIRST[k], SIDES[k])
        rows = slice(row * cell, row * cell + cell)
        cols = slice(col * cell, col * cell + cell)
        self.total -= float(self.gains[token])
        painted = self._paints(k, rows, cols)
        self.error[rows, cols] = np.where(painted, self.left[k][rows, cols], self.error[rows, cols])
        self.rank[rows, cols] = np.where(painted, k + 1, self.rank[rows, cols])
        if k == FINEST:
            self.fresh[rows, cols] = True
        for scale in range(len(SIDES)):
            self._refresh(scale, rows, cols)
        self.gains[token] = -np.inf
        return token

    def loss(self) -> float:
        """L1 on normalised pixels: their range is twice that of [0, 1]."""
        return 2 * max(0.0, self.total) / BLOCKS**2

    def _paints(self, k: int, rows: slice, cols: slice) -> NDArray[np.bool_]:
        """Where a token of scale k would be shown: the finest everywhere, others where nothing finer is known."""
        rank = self.rank[rows, cols]
        return np.ones_like(rank, bool) if k == FINEST else rank < k + 1

    def _refresh(self, k: int, rows: slice, cols: slice) -> None:
        """Compute the gains of scale k anew at its tokens that touch the given blocks."""
        cell, side = BLOCKS // SIDES[k], SIDES[k]
        top, left = rows.start // cell, cols.start // cell
        bottom, right = -(-rows.stop // cell), -(-cols.stop // cell)
        rows, cols = slice(top * cell, bottom * cell), slice(left * cell, right * cell)
        saved = (self.error[rows, cols] - self.left[k][rows, cols]) * self._paints(k, rows, cols)
        sums = saved.reshape(bottom - top, cell, right - left, cell).sum((1, 3))
        grid = self.gains[FIRST[k] : FIRST[k] + side * side].reshape(side, side)
        part = grid[top:bottom, left:right]
        part[:] = np.where(np.isneginf(part), part, sums)


def as_shown(pixels: Floats, side: int) -> Floats:
    """Pictures (C, 224, 224) as the scale of `side` x `side` patches shows them, each patch for itself."""
    cell = SIDE // side
    if cell == PATCH_SIZE:
        return pixels
    matrix = _THERE_AND_BACK[cell]
    cells = pixels.reshape(-1, cell, side, cell).transpose(0, 2, 1, 3)
    shown = matrix @ cells @ matrix.T
    return np.ascontiguousarray(shown.transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE))


def _there_and_back(cell: int) -> Floats:
    """Area averaging of `cell` px to a patch's 16 and linear interpolation back, as one matrix."""
    down, up = resampling(cell, PATCH_SIZE)
    matrix: Floats = (up @ down).numpy()
    return matrix


_THERE_AND_BACK = {
    SIDE // side: _there_and_back(SIDE // side) for side in SIDES if SIDE // side != PATCH_SIZE
}


def _errors(shown: Floats, pixels: Floats) -> Map:
    """Mean absolute difference of every block, over channels and pixels: float64 (28, 28)."""
    difference = np.abs(shown - pixels).sum(0)
    sums: Map = difference.reshape(BLOCKS, BLOCK, BLOCKS, BLOCK).sum((1, 3), dtype=np.float64)
    return sums / (3 * BLOCK**2)


def _pixels(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(28, 28) -> (224, 224)."""
    return blocks.repeat(BLOCK, 0).repeat(BLOCK, 1)
