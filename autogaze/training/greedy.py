"""The greedy search of the paper: in every frame take, again and again, the token that lowers its loss most.

`search` is the definition: it asks the reconstructor about every candidate. `search_by` with a `PasteSearch` finds the
same for the closed-form reconstructor, where a token changes the picture only where it lies: gains are kept and
updated only at tokens that overlap the one just taken. Of equal gains the earlier token wins, and a frame
takes its whole budget even when nothing more can be gained.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from autogaze.gaze import SCALES, Gaze, tokens_per_frame
from autogaze.reconstruction.loss import L1, Loss
from autogaze.reconstruction.paste import GREY, rebuild
from autogaze.training.greedy_paste import PasteSearch

TOKENS = tokens_per_frame()


class Found(NamedTuple):
    """What a search took.

    order: per frame the tokens, 0 to 264, in the order taken. losses: the frame's loss after each.
    """

    order: tuple[tuple[int, ...], ...]
    losses: tuple[tuple[float, ...], ...]


class Reconstructor(Protocol):
    """Paints frames from a gaze; `VideoMAE` is one.

    video: float (B, T, 3, 224, 224), normalised pixels, (value in [0, 1] - 0.5) / 0.5. frames: which.
    Returns (B, len(frames), 3, 224, 224), normalised alike.
    """

    def __call__(self, video: Tensor, gaze: Gaze, frames: Sequence[int] | None = None) -> Tensor: ...


def paste(memory: bool = True) -> Reconstructor:
    """The closed-form reconstructor in the form that `search` takes."""

    def paint(video: Tensor, gaze: Gaze, frames: Sequence[int] | None = None) -> Tensor:
        shown = rebuild(video, gaze, memory=memory, grey=2 * GREY - 1)
        return shown if frames is None else shown[:, list(frames)]

    return paint


def search_by(state: PasteSearch, frames: Tensor, budgets: Sequence[int]) -> Found:
    """Search with one that knows what every token gains.

    frames: uint8 (T, 3, 224, 224). budgets: tokens of every frame, 1 to 265. Raises ValueError where they do not fit.
    """
    _check(frames, budgets)
    pixels = frames.numpy().astype(np.float32) / np.float32(255)
    taken = [state.frame(frame, count) for frame, count in zip(pixels, budgets, strict=True)]
    return Found(tuple(order for order, _ in taken), tuple(losses for _, losses in taken))


@torch.no_grad()
def search(
    frames: Tensor,
    budgets: Sequence[int],
    reconstructor: Reconstructor,
    loss: Loss | None = None,
    batch: int = 32,
    device: torch.device | str = "cpu",
) -> Found:
    """Search with any reconstructor: every step asks it about every token that is left.

    frames, budgets: as for `search_by`. loss: L1 unless given. batch: candidates a call.
    """
    _check(frames, budgets)
    measure = L1() if loss is None else loss
    video = frames.to(device).float()[None] / 127.5 - 1
    chosen = torch.zeros(1, len(frames), TOKENS, dtype=torch.bool, device=device)
    order, losses = [], []
    for t, count in enumerate(budgets):
        tokens, after = [], []
        for _ in range(count):
            token, value = _best(video[:, : t + 1], chosen[:, : t + 1], reconstructor, measure, batch)
            chosen[0, t, token] = True
            tokens.append(token)
            after.append(value)
        order.append(tuple(tokens))
        losses.append(tuple(after))
    return Found(tuple(order), tuple(losses))


def _best(
    video: Tensor, chosen: Tensor, reconstructor: Reconstructor, measure: Loss, batch: int
) -> tuple[int, float]:
    """The token of the last frame that leaves the least loss there, and that loss."""
    t = video.shape[1] - 1
    values = []
    candidates = (~chosen[0, t]).nonzero().flatten()
    for some in torch.split(candidates, batch):
        masks = chosen.repeat(len(some), 1, 1)
        masks[torch.arange(len(some), device=some.device), t, some] = True
        clips = video.expand(len(some), -1, -1, -1, -1)
        pictures = reconstructor(clips, Gaze.from_masks(masks), [t])
        values.append(measure(pictures, clips[:, t:])[:, 0])
    every = torch.cat(values)
    best = int(every.argmin())
    return int(candidates[best]), float(every[best])


def _check(frames: Tensor, budgets: Sequence[int]) -> None:
    side = SCALES[-1]
    if frames.dtype != torch.uint8 or frames.ndim != 4 or tuple(frames.shape[1:]) != (3, side, side):
        raise ValueError(
            f"frames: {frames.dtype} {tuple(frames.shape)}, expected torch.uint8 (T, 3, {side}, {side})"
        )
    if len(budgets) != len(frames) or not all(1 <= count <= TOKENS for count in budgets):
        raise ValueError(
            f"budgets={tuple(budgets)}: expected {len(frames)} numbers from 1 to {TOKENS}, one a frame"
        )
