"""Loss against ratio: what a selector's gaze lets one rebuild, clip by clip.

The reconstruction is `paste` with memory: a pixel is taken from the finest patch that shows it now or did in
an earlier frame, and what nobody looked at is mid-grey. The loss is the mean absolute difference of pixels
normalised to [-1, 1], the first of the three terms of the paper's loss: the shape of a curve can be compared
with the paper's, its height cannot.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from analysis.studies.clips import Clip, gaze_at
from autogaze.gaze import Gaze, grid_sides
from autogaze.reconstruction.paste import rebuild
from autogaze.selectors.base import Selector

BATCH = 8  # clips gazed at together: a third of the time of one by one
RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
METRIC = (
    "loss: mean absolute difference of pixels normalised to [-1, 1], rebuilt by pasting the finest patch seen so "
    "far (mid-grey where nobody looked); the paper's loss has two feature terms more, so heights do not compare"
)


def loss_of(clips: Tensor, gaze: Gaze) -> Tensor:
    """Float (B, T): the loss of every frame of clips (B, T, 3, 224, 224) in [0, 1]."""
    with torch.no_grad():
        return (rebuild(clips, gaze, memory=True) - clips).abs().mean((2, 3, 4)) * 2


def curves(
    selectors: Sequence[Selector], clips: Sequence[Clip], ratios: Sequence[float] = RATIOS
) -> pd.DataFrame:
    """One row a selector, clip and ratio; `ratio` of all 265 tokens, `ratio_finest` of the finest 196."""
    rows: list[dict[str, Any]] = []
    work = [(selector, group) for selector in selectors for group in _alike(clips)]
    for selector, group in tqdm(work, desc="loss against ratio", leave=False):
        pixels = torch.cat([clip.tensor() for clip in group])
        found = curve(selector.name, pixels, partial(gaze_at, selector, group), ratios)
        for clip, part in zip(group, found, strict=True):
            rows += [{"clip": clip.name, "cluster": clip.cluster, **row} for row in part]
    return pd.DataFrame(rows)


def _alike(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Up to BATCH clips of one length together, in their order."""
    lengths: dict[int, list[Clip]] = {}
    for clip in clips:
        lengths.setdefault(len(clip.frames), []).append(clip)
    return [same[k : k + BATCH] for same in lengths.values() for k in range(0, len(same), BATCH)]


def curve(
    name: str, clips: Tensor, gaze_at: Callable[[float], Gaze], ratios: Sequence[float]
) -> list[list[dict[str, Any]]]:
    """The rows of each of clips (B, T, 3, 224, 224): selector, asked, ratio, ratio_finest, loss (mean of T frames).

    name: of the selector. gaze_at: its gaze at them at a ratio.
    """
    rows: list[list[dict[str, Any]]] = [[] for _ in clips]
    for asked in ratios:
        with torch.no_grad():
            gaze = gaze_at(asked)
        finest = grid_sides(gaze.scales, gaze.patch_size)[-1] ** 2
        losses, counts = loss_of(clips, gaze).mean(1), gaze.counts().double().mean(1)
        for mine, loss, count in zip(rows, losses.tolist(), counts.tolist(), strict=True):
            shares = {"ratio": count / gaze.tokens, "ratio_finest": count / finest}
            mine.append({"selector": name, "asked": asked, **shares, "loss": loss})
    return rows


def needed(
    table: pd.DataFrame, loss: float, by: Sequence[str] = ("selector", "clip", "cluster")
) -> pd.DataFrame:
    """The smallest ratio that meets `loss`, interpolated on a logarithmic axis.

    Columns `needed` and `bound`: "" where the ratio lies among those measured, "floor" where the smallest measured
    ratio does already (the true one is at most `needed`), "ceiling" where none does (it is above `needed`, the
    largest).
    """
    rows = []
    for key, part in table.groupby(list(by), sort=False):
        part = part.sort_values("ratio")
        ratio = crossing(part["ratio"], part["loss"], loss)
        bound = "ceiling" if math.isnan(ratio) else "floor" if part["loss"].iloc[0] <= loss else ""
        found = {"needed": part["ratio"].max() if bound == "ceiling" else ratio, "bound": bound}
        rows.append(dict(zip(by, key, strict=True)) | found)
    return pd.DataFrame(rows)


def bounds(part: pd.DataFrame) -> dict[str, float]:
    """Shares of the rows of `needed` that are bounds and no ratios, as columns of a figure's CSV."""
    return {name: float((part.bound == name).mean()) for name in ("floor", "ceiling")}


BOUNDS = (
    "clips that meet the loss at the smallest of them already count as that one, clips that meet it at none as the "
    "largest (shares: columns floor and ceiling of the CSV)"
)


def crossing(ratios: Any, losses: Any, target: float) -> float:
    """Where the falling curve first meets `target`: NaN if never, the first ratio if it starts below."""
    ratio, loss = np.log(np.asarray(ratios, float)), np.minimum.accumulate(np.asarray(losses, float))
    below = np.flatnonzero(loss <= target)
    if not len(below):
        return float("nan")
    k = int(below[0])
    if k == 0:
        return float(np.exp(ratio[0]))
    share = (loss[k - 1] - target) / (loss[k - 1] - loss[k])
    return float(np.exp(ratio[k - 1] + share * (ratio[k] - ratio[k - 1])))
