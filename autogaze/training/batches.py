"""Labelled clips as the network wants them: which ones a step takes, flipped, cut, padded, stacked.

Which clips a step takes depends on seed and step alone: epoch after epoch in another order, each process its
own share, and a resumed run takes what an uninterrupted one would have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from autogaze.gaze import Gaze, grid_sides, tokens_per_frame
from autogaze.model.processing import AutoGazeImageProcessor
from autogaze.training.labels import LabelledClip

PROCESSOR = AutoGazeImageProcessor()
"""The published pixels, -3..1: a checkpoint of ours can stand wherever a published one does."""


class Clips(Protocol):
    """Labelled clips by number: a `LabelSet`, or simply a list."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> LabelledClip: ...


@dataclass(frozen=True)
class Batch:
    """Clips of one length with the lists they should be gazed by.

    frames: uint8 (B, T, 3, 224, 224). gaze: the greedy lists in their order, padded at each frame's end.
    losses: float (B, N), the reconstruction loss of the slot's frame once its token has been seen.
    """

    frames: Tensor
    gaze: Gaze
    losses: Tensor


def pick(count: int, step: int, batch: int, rank: int, world: int, seed: int) -> list[int]:
    """Indices of one micro-step's clips, in [0, count); `step` counts micro-steps."""
    first = (step * world + rank) * batch
    epochs: dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
    picked = []
    for place in range(first, first + batch):
        epoch, index = divmod(place, count)
        if epoch not in epochs:
            epochs[epoch] = np.random.default_rng([seed, 1, epoch]).permutation(count)
        picked.append(int(epochs[epoch][index]))
    return picked


def collate(
    clips: Sequence[LabelledClip], frames: int, draw: np.random.Generator, flip: bool = True
) -> Batch:
    """Stack the first `frames` frames of each clip (0: as many as the shortest has), half of them flipped."""
    shortest = min(len(clip.frames) for clip in clips)
    T = min(frames or shortest, shortest)
    flipped = [bool(flip and draw.random() < 0.5) for _ in clips]
    pixels = [
        clip.frames[:T].flip(-1) if turn else clip.frames[:T]
        for clip, turn in zip(clips, flipped, strict=True)
    ]
    counts = tuple(max(len(clip.order[t]) for clip in clips) for t in range(T))
    positions = torch.zeros(len(clips), sum(counts), dtype=torch.long)
    padded = torch.ones_like(positions, dtype=torch.bool)
    losses = torch.zeros(len(clips), sum(counts))
    for b, (clip, turn) in enumerate(zip(clips, flipped, strict=True)):
        start = 0
        for t in range(T):
            order = torch.tensor(clip.order[t], dtype=torch.long)
            slots = slice(start, start + len(order))
            positions[b, slots] = (MIRROR[order] if turn else order) + TOKENS * t
            losses[b, slots] = torch.tensor(clip.losses[t], dtype=torch.float32)
            padded[b, slots] = False
            start += counts[t]
    return Batch(torch.stack(pixels), Gaze(positions, counts, padded), losses)


TOKENS = tokens_per_frame()
_CELLS = torch.split(torch.arange(TOKENS), [side * side for side in grid_sides()])
MIRROR = torch.cat([part.view(n, n).flip(1).flatten() for part, n in zip(_CELLS, grid_sides(), strict=True)])
"""Long (265,): the token that shows what token k showed, once the frame is flipped left to right."""
