"""What labels, gains and rewards are about, by name: `paste`, `text` or `videomae:FOLDER`.

paste: the L1 of the pasted picture. text: lines of text that were not seen finely enough to be read, as the OCR
package's detector finds them (`selectors.text_lines` is the same over a whole picture); 0.1 a line, shared by the
tokens that show it at the coarsest readable scale, so that the cheapest lines come first; and a little of the L1, which
orders what is left. videomae: the published reconstruction and loss; it searches and judges, but says no gains.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.reconstruction.loss import ReconstructionLoss
from autogaze.reconstruction.videomae import VideoMAE
from autogaze.selectors.text import cells, coarsest, maps
from autogaze.selectors.text_map import lines
from autogaze.training.greedy import Found, search, search_by
from autogaze.training.greedy_paste import BLOCKS, SIDES, Board, Floats, Map, PasteSearch

LINE = 0.1
"""Loss of a frame for each line that was not read."""
GROUND = 0.005
"""Of the L1 of the pasted picture, in a frame's loss beside its lines: it orders what is left."""


class TextSearch(PasteSearch):
    """The search with `text` in place of the L1; every frame is read by itself.

    Raises ValueError where the OCR package is not installed.
    """

    def __init__(self) -> None:
        super().__init__(memory=False)

    def _open(self, pixels: Floats, allowed: NDArray[np.bool_] | None = None) -> tuple[list[Floats], Board]:
        views, plain = super()._open(pixels, allowed)
        worth, needed = _lines(pixels)
        unread = [worth * (needed > scale) for scale in range(len(SIDES))]
        left = [GROUND * part + lost for part, lost in zip(plain.left, unread, strict=True)]
        return views, Board(GROUND * plain.error + worth, left, self.sharp, allowed)


def search_of(objective: str, memory: bool = True) -> PasteSearch:
    """What searches and replays a clip frame by frame. Raises ValueError for an objective that says no gains."""
    if objective == "text":
        return TextSearch()
    if objective == "paste":
        return PasteSearch(memory)
    raise ValueError(f"{objective}: no search by gains; expected paste or text")


def searched(
    objective: str, frames: Tensor, budgets: Sequence[int], memory: bool = True, device: str = "cpu"
) -> Found:
    """Search greedily: uint8 (T, 3, 224, 224), tokens of each frame. Raises ValueError for other names.

    memory: whether a frame's pasted picture starts from what earlier frames saw.
    """
    kind, _, folder = objective.partition(":")
    if kind == "videomae" and folder:
        return search(frames, budgets, *published(folder, device), device=device)
    return search_by(search_of(objective, memory), frames, budgets)


def published(
    folder: str, device: str, features: Mapping[str, str] | None = None
) -> tuple[VideoMAE, ReconstructionLoss]:
    """The published reconstruction and loss; `features` as `ReconstructionLoss.published` takes them."""
    model = VideoMAE.from_pretrained(folder).eval().to(device)
    return model, ReconstructionLoss.published(**(features or {})).to(device)


def unread(clips: Tensor, gaze: Gaze) -> Tensor:
    """The loss `text` of gazes: float (B, T, 3, 224, 224) in [0, 1] -> (B, T). Clips of a group may repeat."""
    pixels, masks = clips.float().cpu().numpy(), gaze.masks().cpu()
    lost = np.zeros(masks.shape[:2], np.float32)
    for t in range(gaze.frames):  # the detector is asked once about a frame that a whole group shares
        for b in range(gaze.batch):
            tokens = masks[b, t].nonzero().flatten().tolist()
            lost[b, t] = TextSearch().replay(pixels[b, t], tokens).losses[-1]
    return torch.from_numpy(lost).to(clips.device)


def _lines(pixels: Floats) -> tuple[Map, NDArray[np.int64]]:
    """Of every block, (28, 28): its part of the error, and the index of the coarsest scale that shows it readably."""
    worth, needed = np.zeros((BLOCKS, BLOCKS)), np.zeros((BLOCKS, BLOCKS), np.int64)
    found = maps(torch.from_numpy(pixels)[None, None], None)[0, 0]
    for line in lines(found):
        if (scale := coarsest(line.cap)) is None:
            continue
        cell = BLOCKS // SIDES[scale]
        rows, columns = (slice(part.start * cell, part.stop * cell) for part in cells(line, scale))
        here = worth[rows, columns]
        # Board's losses are twice the mean over blocks.
        np.maximum(here, LINE / 2 * BLOCKS**2 / max(1, here.size), out=here)
        np.maximum(needed[rows, columns], scale, out=needed[rows, columns])
    return worth, needed
