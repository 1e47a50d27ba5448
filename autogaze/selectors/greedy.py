"""`greedy`: the search that training labels are made with, which looks at the answer; a teacher, not a rival.

It takes, again and again, the token that lowers the loss of the pasted picture most (see
`autogaze.training.greedy`), and so has to see all of the frame before it chooses what to see.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.selectors.base import Layout, Ratio, check_clips
from autogaze.selectors.budget import allowance
from autogaze.training.greedy_paste import PasteSearch


@dataclass(frozen=True)
class Greedy:
    """Searches every tile by itself; the budget is a tile's own.

    memory: the picture of a frame starts from what earlier frames saw.
    """

    memory: bool = True

    name: ClassVar[str] = "greedy"
    clip_frames: ClassVar[int | None] = None
    teacher: ClassVar[bool] = True

    @property
    def history(self) -> int | None:
        """All earlier frames where it remembers, none where not."""
        return None if self.memory else 0

    def settings(self) -> dict[str, Any]:
        return {"name": self.name, "memory": self.memory}

    def select(
        self,
        clips: Tensor,
        *,
        ratio: Ratio = None,
        loss: float | None = None,
        valid: Tensor | None = None,
        layout: Layout | None = None,
    ) -> Gaze:
        """See `Selector.select`; `loss` is the actual one of the pasted picture, on normalised pixels."""
        shown = check_clips(clips, valid, layout)
        limit = 1.0 if ratio is None and loss is not None else ratio
        counts = allowance(limit, clips.shape[1], shown).tolist()
        pixels, allowed = clips.detach().float().cpu().numpy(), shown.cpu().numpy()
        found = [self._search(*each, loss) for each in zip(pixels, counts, allowed, strict=True)]
        return Gaze.cat([_as_gaze(order, shown.shape[-1]) for order in found]).to(clips.device)

    def _search(
        self, clip: NDArray[np.float32], counts: list[int], allowed: NDArray[np.bool_], loss: float | None
    ) -> list[tuple[int, ...]]:
        state = PasteSearch(self.memory)
        return [state.frame(f, n, loss, allowed)[0] for f, n in zip(clip, counts, strict=True)]


def _as_gaze(order: list[tuple[int, ...]], tokens: int) -> Gaze:
    """The gaze of one clip, in the order taken."""
    positions = torch.tensor(
        [[tokens * t + k for t, part in enumerate(order) for k in part]], dtype=torch.long
    )
    per_frame = tuple(len(part) for part in order)
    return Gaze(positions, per_frame, torch.zeros_like(positions, dtype=torch.bool))
