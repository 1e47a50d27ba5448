"""Figure 6, in numbers: does the gaze hold on what it was not made for?

Every clip is changed (blur, noise, night, haze, cartoon, hue, grey) without moving anything, so a robust gaze
stays where it was: IoU with the unchanged clip's gaze, set against that of an unrelated clip; and what the
gaze is worth on the changed clip: its loss over that of random gaze.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from torch import Tensor
from tqdm import tqdm

from analysis import stats, style
from analysis.cache import cached
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.studies.clips import Clip, describe, identity, load_clips, over_clusters
from analysis.studies.losses import loss_of
from analysis.studies.scenes import Pictures
from analysis.studies.selectors import iou_of
from autogaze.selectors.base import Selector
from hlvid.errors import RunError

RATIO = 0.1


def make(inputs: Inputs) -> Made:
    selector, rival = inputs.looker(tells=()), inputs.named("random")
    count = max(2, inputs.clips // 2)  # every clip is gazed at once a change
    clips = load_clips(inputs, count)
    key = identity(inputs, count) | {"ratio": RATIO} | selector.settings()
    if len(clips) < 2:
        raise RunError(
            "ood: one clip, at least 2 are needed to say what no agreement looks like; give more --videos"
        )
    table = cached(inputs, "ood", key, lambda: measure(selector, rival, clips, RATIO))
    numbers = _numbers(table)
    caption = (
        f"Gaze under controlled changes of the clips. {inputs.describe(selector)} at a gazing ratio of {RATIO:.0%}, on "
        f"{describe(table, inputs)}; changed without moving anything. a: intersection over union of the "
        "patches chosen with those of the unchanged clip; dashed: with those of another clip, what no agreement "
        "looks like. b: loss with this gaze over the loss with random gaze of the same size on the same changed "
        f"clip (below 1: the gaze still earns its tokens). Bars: {over_clusters(table, inputs)}."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for name, part in table.groupby("change", sort=False):
        clusters = part.cluster.tolist()
        for measure in ("iou", "relative_loss", "loss", "ratio"):
            value = stats.mean(part[measure], clusters)
            rows.append(row("measured", name, measure=measure, **stats.ends(value)))
    return pd.DataFrame(rows)


def measure(selector: Selector, rival: Selector, clips: Sequence[Clip], ratio: float) -> pd.DataFrame:
    """One row a clip and change: clip, cluster, change, iou with the gaze of the unchanged clip, ratio, loss on the
    changed clip, relative_loss: over the loss of `rival`'s gaze of the same size there.
    """
    rows: list[dict[str, Any]] = []
    before: Tensor | None = None
    for clip in tqdm(clips, desc="changed clips", leave=False):
        changed = {"unchanged": clip.frames, **{name: change(clip.frames) for name, change in SHIFTS.items()}}
        who = {"clip": clip.name, "cluster": clip.cluster}
        found = _judge(selector, rival, [replace(clip, frames=frames) for frames in changed.values()], ratio)
        mask = found[0][1]
        for name, (numbers, other) in zip(changed, found, strict=True):
            rows.append(who | numbers | {"change": name, "iou": _iou(mask, other)})
        if before is not None:
            rows.append(who | {"change": "another clip", "iou": _iou(mask, before)})
        before = mask
    return pd.DataFrame(rows)


def _judge(
    selector: Selector, rival: Selector, clips: Sequence[Clip], ratio: float
) -> list[tuple[dict[str, Any], Tensor]]:
    """Of each of clips of one length, gazed at together: the numbers, and the mask (T, 265) of its gaze."""
    tensor = torch.cat([clip.tensor() for clip in clips])
    with torch.no_grad():
        gaze = selector.select(tensor, ratio=ratio)
        shares = (gaze.counts().double().mean(1) / gaze.tokens).tolist()
        there = [
            rival.select(one[None], ratio=max(share, 1 / gaze.tokens))
            for one, share in zip(tensor, shares, strict=True)
        ]
    losses = loss_of(tensor, gaze).mean(1).tolist()
    found = []
    for one, other, share, loss, mask in zip(tensor, there, shares, losses, gaze.masks(), strict=True):
        relative = loss / float(loss_of(one[None], other).mean())
        found.append(({"ratio": share, "loss": loss, "relative_loss": relative}, mask))
    return found


def _iou(first: Tensor, second: Tensor) -> float:
    """Mean over the frames that both have."""
    frames = min(len(first), len(second))
    return float(iou_of(first[:frames], second[:frames]).nanmean())


def noise(frames: Pictures) -> Pictures:
    """Sensor noise of standard deviation 20 of 255, the same for the same frames."""
    draw = np.random.default_rng(int(frames.astype(np.uint64).sum()))
    return _bytes(frames + draw.normal(0, 20, frames.shape))


def night(frames: Pictures) -> Pictures:
    """A dark picture, bluish, with noise in its shadows."""
    dark = (frames / 255.0) ** 1.8 * 255 * np.array([0.3, 0.32, 0.42])
    draw = np.random.default_rng(int(frames.astype(np.uint64).sum()))
    return _bytes(dark + draw.normal(0, 5, frames.shape))


def hue(frames: Pictures) -> Pictures:
    """All colours turned by 90 degrees."""
    turned = []
    for frame in frames:
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + 45) % 180  # OpenCV counts hue in half degrees
        turned.append(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
    return np.stack(turned)


SHIFTS: dict[str, Callable[[Pictures], Pictures]] = {
    "blur": lambda frames: np.stack([cv2.GaussianBlur(f, (0, 0), 2.0) for f in frames]),  # out of focus, 2 px
    "noise": noise,
    "night": night,
    "low contrast": lambda frames: _bytes(0.35 * (frames.astype(float) - 128) + 150),  # haze
    "cartoon": lambda frames: np.stack([_cartoon(frame) for frame in frames]),
    "hue": hue,
    "grey": lambda frames: np.stack(
        [cv2.cvtColor(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for f in frames]
    ),
}


def _cartoon(frame: Pictures) -> Pictures:
    """Flat colours with dark outlines."""
    smooth = frame
    for _ in range(3):
        smooth = cv2.bilateralFilter(smooth, 7, 40, 7)
    flat = (smooth // 40) * 40 + 20
    lines = cv2.adaptiveThreshold(
        cv2.medianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 5), 255, cv2.ADAPTIVE_THRESH_MEAN_C,
        cv2.THRESH_BINARY, 9, 4,
    )  # fmt: skip
    return np.asarray(cv2.bitwise_and(flat, flat, mask=lines), np.uint8)


def _bytes(values: ArrayLike) -> Pictures:
    return np.asarray(values).round().clip(0, 255).astype(np.uint8)


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, (left, right) = style.panels(1, 2, 2.6, sharey=True)
    names = [name for name in numbers.series.unique() if name not in ("unchanged", "another clip")]
    _dots(left, numbers, names, "iou")
    floor = numbers[(numbers.series == "another clip") & (numbers.measure == "iou")].value.iloc[0]
    left.axvline(floor, color=style.GREY, linestyle="--", linewidth=1)
    left.set(xlim=(0, 1.04), xlabel="IoU with the unchanged clip's gaze", title="same places?")
    _dots(right, numbers, ["unchanged", *names], "relative_loss")
    right.axvline(1, color=style.GREY, linestyle="--", linewidth=1)
    right.set(xlabel="loss / loss of random gaze", title="worth its tokens?", xlim=(0, None))
    left.set_yticks(range(len(names) + 1), ["unchanged", *names])
    left.invert_yaxis()
    style.letter([left, right])
    return figure


def _dots(axes: Any, numbers: pd.DataFrame, names: list[str], measure: str) -> None:
    part = numbers[numbers.measure == measure].set_index("series")
    rows = part.loc[names]
    place = range(0 if "unchanged" in names else 1, len(names) + ("unchanged" not in names))
    axes.errorbar(
        rows.value, place, xerr=style.bars(rows.value, rows.low, rows.high), **style.line(0, linestyle="none")
    )
