"""Does a gaze hold when a clip is changed without moving anything in it?

Example::

    table = measure(selector, rival, clips, ratio=0.1)     # one row a clip and change

Columns: clip, cluster, change ("unchanged", the names of `shifts.SHIFTS`, "another clip"), iou with the gaze of
the unchanged clip, ratio, loss on the changed clip, relative_loss: over the loss of `rival`'s gaze of the same
size there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import tqdm

from analysis.studies.clips import Clip
from analysis.studies.losses import loss_of
from analysis.studies.selectors import iou_of
from analysis.studies.shifts import SHIFTS
from autogaze.selectors.base import Selector

if TYPE_CHECKING:
    import pandas as pd


def measure(selector: Selector, rival: Selector, clips: Sequence[Clip], ratio: float) -> "pd.DataFrame":
    """See the module."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    before: Tensor | None = None
    for clip in tqdm(clips, desc="changed clips", leave=False):
        who = {"clip": clip.name, "cluster": clip.cluster}
        row, mask = _judge(selector, rival, clip, ratio)
        rows.append(who | row | {"change": "unchanged", "iou": 1.0})
        for name, change in SHIFTS.items():
            changed = Clip(clip.name, clip.cluster, change(clip.frames))
            row, other = _judge(selector, rival, changed, ratio)
            rows.append(who | row | {"change": name, "iou": _iou(mask, other)})
        if before is not None:
            rows.append(who | {"change": "another clip", "iou": _iou(mask, before)})
        before = mask
    return pd.DataFrame(rows)


def _judge(selector: Selector, rival: Selector, clip: Clip, ratio: float) -> tuple[dict[str, Any], Tensor]:
    """The numbers of one clip, and the mask (T, 265) of its gaze."""
    tensor = clip.tensor()
    with torch.no_grad():
        gaze = selector.select(tensor, ratio=ratio)
        there = rival.select(tensor, ratio=max(gaze.ratio(), 1 / 265))
    loss, other = float(loss_of(tensor, gaze).mean()), float(loss_of(tensor, there).mean())
    return {"ratio": gaze.ratio(), "loss": loss, "relative_loss": loss / other}, gaze.masks()[0]


def _iou(first: Tensor, second: Tensor) -> float:
    """Mean over the frames that both have."""
    frames = min(len(first), len(second))
    return float(iou_of(first[:frames], second[:frames]).nanmean())
