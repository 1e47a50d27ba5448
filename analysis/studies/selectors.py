"""Every selector on the same clips: their loss curves, and how alike they choose."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from analysis.cache import cached
from analysis.inputs import Inputs
from analysis.studies.clips import Clip, gaze_at, identity, load_clips
from analysis.studies.losses import RATIOS, curves
from autogaze.gaze import SCALES
from autogaze.selectors.base import Selector


def compare(inputs: Inputs) -> pd.DataFrame:
    """Loss against ratio of every selector on this machine, one cached table a selector."""
    return pd.concat([_curves(selector, inputs) for selector in inputs.compared()], ignore_index=True)


def _curves(selector: Selector, inputs: Inputs) -> pd.DataFrame:
    key = identity(inputs) | {"ratios": RATIOS} | selector.settings()
    return cached(inputs, "curves", key, lambda: curves([selector], load_clips(inputs)))


def likeness(selectors: Sequence[Selector], clips: Sequence[Clip], ratio: float) -> pd.DataFrame:
    """Intersection over union of the patches chosen, per pair of selectors, clip, frame and scale.

    Patches neither chose at a scale give NaN: they say nothing about agreement there. `chance` is the IoU that
    two independent draws of as many patches from that scale would have on average.
    """
    rows: list[dict[str, Any]] = []
    for clip in tqdm(clips, desc="agreement", leave=False):
        with torch.no_grad():
            masks = [gaze_at(s, [clip], ratio).scale_masks() for s in selectors]
        for a, b in combinations(range(len(selectors)), 2):
            names = {"first": selectors[a].name, "second": selectors[b].name}
            who = names | {"clip": clip.name, "cluster": clip.cluster}
            rows += [who | one for one in _compare(masks[a], masks[b])]
    return pd.DataFrame(rows)


def _compare(first: Sequence[Tensor], second: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Rows of one clip: frame, scale (0 for all scales together), iou, chance."""
    rows = []
    flat = [torch.cat([mask[0].flatten(1) for mask in masks], 1) for masks in (first, second)]
    pairs: list[tuple[int, Tensor, Tensor]] = [(0, flat[0], flat[1])]
    pairs += [(s, a[0].flatten(1), b[0].flatten(1)) for s, a, b in zip(SCALES, first, second, strict=True)]
    for scale, a, b in pairs:
        iou = iou_of(a, b)
        p, q = a.float().mean(1), b.float().mean(1)
        chance = p * q / (p + q - p * q)
        rows += [
            {"frame": t, "scale": scale, "iou": float(iou[t]), "chance": float(chance[t])}
            for t in range(len(a))
        ]
    return rows


def iou_of(first: Tensor, second: Tensor) -> Tensor:
    """Bool (T, N) twice -> float (T,): shared over all, NaN where neither holds anything."""
    union = (first | second).sum(1)
    return torch.where(union > 0, (first & second).sum(1) / union.clamp_min(1), torch.nan)
