"""`text`, `text_lines`: teachers that know where text is, from the OCR package's detector. They look at everything.

What they choose is what a gaze that is to read should learn to choose; no rival of one that has to guess.
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.pyramid import patch_mean, stitch, tokens, unstitch
from autogaze.selectors.text_map import Map, TextLine, lines, text_map

NEAR = 0.7
"""The part of its best neighbour's probability that a patch inherits: a word is seen whole."""
KEPT = 8
"""Maps kept: of a picture that is asked about again at another ratio."""
READABLE = 6.0
"""Height of capitals in px, as a scale shows them, from which on the offline reader tells look-alikes apart
(`hlvid.mini.plan`)."""


@dataclass(frozen=True)
class Text(ScoredSelector):
    """The detector's map: mean probability of text in each patch of the finest scale; coarser ones come after all."""

    name: ClassVar[str] = "text"
    history: ClassVar[int | None] = 0
    teacher: ClassVar[bool] = True

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        pictures = maps(clips, layout)
        finest = torch.stack([_patches(found) for found in pictures])
        coarse = [
            -torch.ones(*pictures.shape[:2], *_grid(pictures.shape[2:], scale)) for scale in SCALES[:-1]
        ]
        return tokens([unstitch(grid, layout) for grid in (*coarse, finest)]).to(clips.device)


@dataclass(frozen=True)
class TextLines(Text):
    """Line by line, each at the coarsest scale that shows its capitals at `READABLE` px, the cheapest first.

    Lines too small for the finest scale are left for last; what no line needs goes as `text` would spend it.
    """

    name: ClassVar[str] = "text_lines"

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """`text`'s, in [-1, 1], and above them 2 + sureness / tokens for every token of a line."""
        base = super().scores(clips, layout)
        pictures = maps(clips, layout)
        worth = [torch.zeros(len(pictures), pictures.shape[1], *_grid(pictures.shape[2:], s)) for s in SCALES]
        for g, t in np.ndindex(*pictures.shape[:2]):
            for line in lines(pictures[g, t]):
                if (s := coarsest(line.cap)) is not None:
                    rows, columns = cells(line, s)
                    part = worth[s][g, t, rows, columns]
                    part.clamp_(min=2 + line.sure / part.numel())
        wanted = tokens([unstitch(grid, layout) for grid in worth]).to(base)
        return torch.where(wanted > 0, wanted, base)


def maps(clips: Tensor, layout: Layout | None) -> NDArray[np.float32]:
    """The detector's map of every picture: float (B, T, 3, 224, 224) in [0, 1] -> (G, T, rows * 224, columns * 224)."""
    colours = [stitch(channel, layout) for channel in clips.unbind(2)]
    pixels = (torch.stack(colours, -1) * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return np.stack([[_map(np.ascontiguousarray(frame)) for frame in clip] for clip in pixels])


def coarsest(cap: float) -> int | None:
    """The index of the coarsest scale that shows capitals of `cap` px readably; None where the finest does not."""
    return next((s for s, scale in enumerate(SCALES) if cap * scale / SCALES[-1] >= READABLE), None)


def cells(line: TextLine, scale: int) -> tuple[slice, slice]:
    """Rows and columns of the picture's patches of a scale (its index) that show a line's letters."""
    left, top, right, bottom = line.letters
    unit = PATCH_SIZE * SCALES[-1] / SCALES[scale]
    return slice(int(top // unit), int(-(-bottom // unit))), slice(int(left // unit), int(-(-right // unit)))


_kept: dict[bytes, Map] = {}


def _map(picture: NDArray[np.uint8]) -> Map:
    """`text_map`, kept for the next ratio or selector that asks about the same picture."""
    key = hashlib.sha256(picture.data).digest() + bytes(str(picture.shape), "ascii")
    if key not in _kept:
        while len(_kept) >= KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = text_map(picture)
    return _kept[key]


def _patches(found: NDArray[np.float32]) -> Tensor:
    """Maps (T, H, W) -> (T, H / 16, W / 16)."""
    mean = patch_mean(torch.from_numpy(found))
    return torch.maximum(mean, NEAR * F.max_pool2d(mean, 3, stride=1, padding=1))


def _grid(sides: tuple[int, ...], scale: int) -> list[int]:
    """Patches of a scale over a picture of these sides."""
    return [side * scale // SCALES[-1] // PATCH_SIZE for side in sides]
