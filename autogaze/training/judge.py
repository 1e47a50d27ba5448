"""The reconstruction loss of many gazes of one clip at once, with the closed-form reconstructor.

Every scale's cells are unions of 8 px blocks, so what a pasted picture loses can be read off a table: the error
of each block, were it shown as frame s looked at scale k, when frame t is the truth. Filling the table costs
as much as a few reconstructions; each gaze after that costs next to nothing, which is what a group of
roll-outs needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES, Gaze, grid_sides
from autogaze.reconstruction.paste import GREY, resampling
from autogaze.training.objectives import published, unread

BLOCK = 8
MEAN = STD = 0.5
"""Losses are of normalised pixels, (value - 0.5) / 0.5, the published convention."""


class Judge(Protocol):
    """Says what is lost: clips float (B, T, 3, S, S) in [0, 1] and their gaze -> (B, T), lower is better."""

    def __call__(self, clips: Tensor, gaze: Gaze) -> Tensor: ...


@dataclass(frozen=True)
class PasteTable:
    """Errors of blocks.

    errors: float (B, T, T, 4, n, n), [b, t, s, k]: frame t's block shown as frame s has it at scale k; only
    s <= t is filled, and only s = t without memory. blank: (B, T, n, n), a block that nobody looked at.
    """

    errors: Tensor
    blank: Tensor
    memory: bool

    @classmethod
    def of(cls, clips: Tensor, memory: bool = True) -> "PasteTable":
        """The table of clips, float (B, T, 3, 224, 224) in [0, 1]."""
        B, T = clips.shape[:2]
        views = _views(clips)
        n = clips.shape[-1] // BLOCK
        errors = clips.new_zeros(B, T, T, len(SCALES), n, n)
        for t in range(T):
            for s in range(t + 1) if memory else (t,):
                errors[:, t, s] = torch.stack([_blocks(view[:, s] - clips[:, t]) for view in views], 1)
        blank = torch.stack([_blocks(clips[:, t] - GREY) for t in range(T)], 1)
        return cls(errors / STD, blank / STD, memory)

    def repeat(self, times: int) -> "PasteTable":
        """The table with each clip `times` times, one after the other: for groups of roll-outs."""
        return PasteTable(
            self.errors.repeat_interleave(times, 0), self.blank.repeat_interleave(times, 0), self.memory
        )

    def losses(self, masks: Tensor) -> Tensor:
        """masks bool (B, T, 265) -> (B, T), the L1 loss of every frame."""
        return self.pictures(masks).mean((2, 3))

    def pictures(self, masks: Tensor) -> Tensor:
        """masks bool (B, T, 265) -> (B, T, n, n), the mean error of every block of every frame."""
        B, T = masks.shape[:2]
        n = self.blank.shape[-1]
        grids = [
            part.view(B, T, side, side).repeat_interleave(n // side, 2).repeat_interleave(n // side, 3)
            for part, side in zip(
                torch.split(masks, [side * side for side in grid_sides()], -1), grid_sides(), strict=True
            )
        ]
        # What every block shows: the frame and scale it was last looked at, sharp and coarse; -1 for never.
        sharp = coarse = torch.full((B, n, n), -1, device=masks.device)
        level = torch.zeros_like(coarse)
        out = []
        for t in range(T):
            if not self.memory:
                sharp = coarse = torch.full_like(sharp, -1)
            for index, grid in enumerate(grids[:-1]):
                coarse = coarse.masked_fill(grid[:, t], t)
                level = level.masked_fill(grid[:, t], index)
            sharp = sharp.masked_fill(grids[-1][:, t], t)
            out.append(self._read(t, sharp, coarse, level))
        return torch.stack(out, 1)

    def _read(self, t: int, sharp: Tensor, coarse: Tensor, level: Tensor) -> Tensor:
        """The errors of frame t where blocks show what the three maps (B, n, n) say."""
        B, _, S, K = self.errors.shape[:4]
        frame = torch.where(sharp >= 0, sharp, coarse)
        scale = torch.where(sharp >= 0, K - 1, level)
        shown = (frame.clamp(min=0) * K + scale)[:, None]
        errors = self.errors[:, t].reshape(B, S * K, *sharp.shape[1:]).gather(1, shown)[:, 0]
        return torch.where(frame >= 0, errors, self.blank[:, t])


def judge_of(name: str, features: Mapping[str, str] | None = None, device: str = "cpu") -> Judge | None:
    """The judge of that name: "paste" (None: the table of the pasted picture), "text", or "videomae:FOLDER".

    text: `objectives.unread`. videomae: the published reconstruction, each frame painted alone, and the published loss:
    L1, plus 0.3 x each of `features`, {"dinov2": checkpoint, "siglip2": checkpoint} (paper, section 3.2).
    Raises ValueError for other names.
    """
    kind, _, folder = name.partition(":")
    if name == "paste":
        return None
    if name == "text":
        return unread
    if kind != "videomae" or not folder:
        raise ValueError(f"{name}: no such judge; expected paste, text or videomae:FOLDER")
    model, loss = published(folder, device, features)

    @torch.no_grad()
    def judge(clips: Tensor, gaze: Gaze) -> Tensor:
        video = (clips - MEAN) / STD
        lost = [loss(model(video, gaze, [t]), video[:, t : t + 1]) for t in range(gaze.frames)]
        return torch.cat(lost, 1)

    return judge


def _views(clips: Tensor) -> list[Tensor]:
    """The clips as every scale shows them, each patch for itself; one like `clips` a scale."""
    every = []
    for side in grid_sides():
        cell = clips.shape[-1] // side
        if cell == PATCH_SIZE:
            every.append(clips)
            continue
        down, up = resampling(cell, PATCH_SIZE)
        line = torch.kron(torch.eye(side), up @ down).to(clips)
        every.append(line @ clips @ line.T)
    return every


def _blocks(difference: Tensor) -> Tensor:
    """(B, 3, S, S) -> the mean absolute difference in every block, (B, S / 8, S / 8)."""
    return F.avg_pool2d(difference.abs().mean(1, keepdim=True), BLOCK)[:, 0]
