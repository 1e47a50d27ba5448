"""`text_error`: greedy search on what reading needs, and not on the L1 of pixels; a teacher, which looks at everything.

The error of an 8 px block is that of its luma and of the luma's Laplacian, at full and at half size, from a picture
that begins with each block's mean. It counts 0.05 everywhere, and as much more as the block is text
(`autogaze.selectors.text_map`); of a line of text nothing is gained at a scale too coarse to read it. No memory: every
frame is read by itself.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.gaze import SCALES, Gaze
from autogaze.selectors.base import Layout, Ratio, ScoredSelector
from autogaze.selectors.budget import allowance
from autogaze.selectors.context import Context
from autogaze.selectors.pyramid import luma, unstitch
from autogaze.selectors.text import coarsest, maps
from autogaze.selectors.text_map import lines
from autogaze.training.greedy_paste import BLOCK, BLOCKS, SIDES, Board, Floats, Map, as_shown

GROUND = 0.05
"""Weight of a block without text."""


@dataclass(frozen=True)
class TextError(ScoredSelector):
    """l1: the share of today's objective, the L1 of luma, in [0, 1]; 0: the text-weighted error alone."""

    l1: float = 0.0

    name: ClassVar[str] = "text_error"
    history: ClassVar[int | None] = 0
    teacher: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.l1 <= 1:
            raise ValueError(f"l1: {self.l1}, allowed: numbers in [0, 1]")

    def select(
        self,
        clips: Tensor,
        *,
        ratio: Ratio = None,
        loss: float | None = None,
        valid: Tensor | None = None,
        layout: Layout | None = None,
        context: Context | None = None,
    ) -> Gaze:
        shown, size = self.checked(clips, loss, valid, layout)
        B, T, K = *clips.shape[:2], shown.shape[-1]
        wanted = allowance(ratio, T, shown.view(B // size, size * K)).tolist()
        allowed = shown.cpu().numpy()
        masks = np.zeros((B, T, K), bool)
        errors, left = self._errors(clips, layout)
        nothing = np.zeros((BLOCKS, BLOCKS), bool)
        for first in range(0, B, size):
            some = range(first, first + size)
            for t in range(T):
                boards = {
                    b: Board(errors[b, t], [part[b, t] for part in left], nothing, allowed[b]) for b in some
                }
                for b, token in take(boards, wanted[first // size][t]):
                    masks[b, t, token] = True
        return Gaze.from_masks(torch.from_numpy(masks).to(clips.device))

    def _errors(self, clips: Tensor, layout: Layout | None) -> tuple[Map, list[Map]]:
        """Of every block: the error before anything is seen and what each scale would leave, (B, T, 28, 28) each."""
        B, T = clips.shape[:2]
        grey = luma(clips).reshape(B * T, *clips.shape[-2:]).float().cpu().numpy()
        text, coarsest = _text_of(clips, layout)
        start = grey.reshape(-1, BLOCKS, BLOCK, BLOCKS, BLOCK).mean((2, 4)).repeat(BLOCK, 1).repeat(BLOCK, 2)
        blind, plain = _reading_error(start, grey), _blocks(np.abs(start - grey))
        before = self._mixed((GROUND + text) * blind, plain)
        left = []
        for s, side in enumerate(SIDES):
            view = as_shown(grey, side)
            error = _reading_error(view, grey)
            legible = np.where(s >= coarsest, error, blind)
            left.append(self._mixed(GROUND * error + text * legible, _blocks(np.abs(view - grey))))
        return before.reshape(B, T, BLOCKS, BLOCKS), [one.reshape(B, T, BLOCKS, BLOCKS) for one in left]

    def _mixed(self, reading: Map, plain: Map) -> Map:
        return (1 - self.l1) * reading + self.l1 * plain


def take(boards: dict[int, Board], count: int) -> list[tuple[int, int]]:
    """The `count` tokens that gain most over all boards, one by one: (board's key, token)."""
    best = {key: float(board.gains.max()) for key, board in boards.items()}
    taken = []
    for _ in range(count):
        key = max(best, key=lambda k: best[k])
        taken.append((key, boards[key].take()))
        best[key] = float(boards[key].gains.max())
    return taken


def _text_of(clips: Tensor, layout: Layout | None) -> tuple[Map, NDArray[np.int64]]:
    """Of every block, (B * T, 28, 28): probability of text, and the coarsest scale's index that shows it readably
    (no scale's where none does; the coarsest's where there is no line)."""
    found = maps(clips, layout)
    need = np.zeros_like(found)
    for g, t in np.ndindex(*found.shape[:2]):
        for line in lines(found[g, t]):
            left, top, right, bottom = line.box
            scale = coarsest(line.cap)
            area = need[g, t, top:bottom, left:right]
            np.maximum(area, len(SCALES) if scale is None else scale, out=area)
    tiles = [unstitch(torch.from_numpy(one), layout).flatten(0, 1).numpy() for one in (found, need)]
    blocks = tiles[1].reshape(-1, BLOCKS, BLOCK, BLOCKS, BLOCK)
    return _blocks(tiles[0]), blocks.max((2, 4)).astype(np.int64)


def _reading_error(shown: Floats, grey: Floats) -> Map:
    """Of every block, (N, 28, 28): |luma| and |Laplacian| of the difference, the latter at full and half size."""
    difference = torch.from_numpy(shown - grey)
    half = torch.nn.functional.avg_pool2d(difference, 2)
    edges = np.abs(_laplacian(difference)), np.abs(_laplacian(half)).repeat(2, 1).repeat(2, 2)
    return _blocks(np.abs(difference.numpy()) + edges[0] + edges[1])


def _laplacian(pictures: Tensor) -> Floats:
    p = torch.nn.functional.pad(pictures, (1, 1, 1, 1), mode="replicate")
    edges = p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:] - 4 * pictures
    found: Floats = edges.numpy()
    return found


def _blocks(pixels: Floats) -> Map:
    """(N, 224, 224) -> float64 (N, 28, 28): the mean of every block."""
    means: Map = pixels.reshape(-1, BLOCKS, BLOCK, BLOCKS, BLOCK).mean((2, 4), dtype=np.float64)
    return means
