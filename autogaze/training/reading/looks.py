"""Pictures as the encoder sees them: features of what a gaze for reading takes of their tiles, to learn answers on."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.training.reading.letters import View, cut, masks, shown
from autogaze.training.reading.pictures import Pictures
from autogaze.training.reading.questions import ALPHABET
from autogaze.training.reading.reader import Reader
from autogaze.training.text_tiles import shades

MISSED, STRAY = 0.03, 12
"""Share of a line's gazed patches that a gaze misses, and patches of a tile at most that it takes for text."""
BESIDE = 0.25
"""Share of a whole frame's patches that are seen beside its lines."""
SHIFT = 40
"""Px by which tiles of a second look lie elsewhere, at most."""


@dataclass(frozen=True)
class Looked:
    """A picture. looks: of each time that it is seen, features half (V, C) and letters int16 (V, 2), tile after tile.
    asks: options and the number of the right one, of each line of which every look shows enough."""

    looks: list[tuple[Tensor, Tensor]]
    asks: list[tuple[list[str], int]]


@torch.no_grad()
def looked(known: Pictures, reader: Reader, looks: int, seed: int) -> list[Looked]:
    """All pictures of which something can be asked."""
    found = []
    for number in range(len(known.pixels)):
        seen = [
            _look(known, number, reader, n, np.random.default_rng([seed, number, n, 31]))
            for n in range(looks)
        ]
        whole = np.stack([one for _, _, one in seen])
        lines = np.flatnonzero(known.options[number, :, 0, 0] >= 0).tolist()
        asks = [_ask(known, number, line) for line in lines if _enough(known, number, line, whole[:, line])]
        if asks:
            found.append(Looked([(features, letters) for features, letters, _ in seen], asks))
    return found


def _look(
    known: Pictures, number: int, reader: Reader, again: int, draw: np.random.Generator
) -> tuple[Tensor, Tensor, NDArray[np.bool_]]:
    """Features, letters, and which characters, bool (L, C), one tile or another shows whole."""
    height, width = known.pixels.shape[1:3]
    view, side = reader.view, reader.view.side
    edges = [
        (left, top) for top in range(0, height - side + 1, side) for left in range(0, width - side + 1, side)
    ]
    shift = draw.integers(-SHIFT, SHIFT + 1, 2) if again else 0
    corners = np.clip(np.array(edges) + shift, 0, (width - side, height - side)).astype(np.int64)
    picked = np.full(len(corners), number)
    what = shown(known, picked, corners, view)
    seen = masks(_gaze(np.logical_or.reduce(what.cells, 1), view, draw), view)
    pixels = cut(known, picked, corners, shades(draw, 1).repeat(len(corners), 0), side)
    device = reader.table.device
    features = reader.see(pixels.to(device), torch.from_numpy(seen).to(device)).half().cpu()
    return features, torch.from_numpy(what.letters[seen].astype(np.int16)), np.logical_or.reduce(what.whole)


def _gaze(cells: NDArray[np.bool_], view: View, draw: np.random.Generator) -> NDArray[np.bool_]:
    """What a gaze makes of the patches with lines, (B, cells): it misses some and strays; of frames, also a share of
    all others, for every patch would cost ten times as much."""
    if view.whole:
        return cells | (draw.random(cells.shape) < BESIDE)
    cells = cells & (draw.random(cells.shape) >= MISSED)
    for tile in np.flatnonzero(draw.random(len(cells)) < 0.6):
        cells[tile, draw.integers(0, view.cells, draw.integers(1, STRAY + 1))] = True
    return cells


def _enough(known: Pictures, number: int, line: int, whole: NDArray[np.bool_]) -> bool:
    """Whether every look shows the characters in which a line's options differ, and half of all; whole: (looks, C)."""
    options, text = known.options[number, line], known.text[number, line]
    telling = (options != options[0]).any(0)
    return bool(whole[:, telling].all() and (whole[:, text > 0].mean(1) >= 0.5).all())


def _ask(known: Pictures, number: int, line: int) -> tuple[list[str], int]:
    options = known.options[number, line]
    right = int(np.flatnonzero((options == known.text[number, line]).all(-1))[0])
    return [_text(option) for option in options], right


def _text(classes: NDArray[np.int8]) -> str:
    return "".join(ALPHABET[character] for character in classes if character >= 0)
