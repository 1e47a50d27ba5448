"""Figures 2, 6, 11 and 14 to 30: what is looked at, scale by scale, and what can be rebuilt from it.

Three clips, six frames each: the frame, the gazed patches in the colours of their scales, the rebuilt frame.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from analysis import style
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.stats import number
from analysis.studies.clips import Clip, gaze_at, load_clips
from analysis.studies.losses import loss_of
from analysis.studies.scenes import Pictures
from autogaze.gaze import SCALES, Boxes
from autogaze.overlay import gazed
from autogaze.reconstruction.paste import rebuild
from autogaze.selectors.base import Selector

RATIO = 0.1
CLIPS, COLUMNS = 3, 6


def make(inputs: Inputs) -> Made:
    selector = inputs.looker()
    clips = load_clips(inputs)
    chosen = [
        clips[k] for k in sorted({round(i * (len(clips) - 1) / max(1, CLIPS - 1)) for i in range(CLIPS)})
    ]
    strips = [strip(selector, clip, RATIO) for clip in chosen]
    numbers = pd.DataFrame([row("measured", selector.name, **one) for part in strips for one in part.numbers])
    ratio, loss = numbers.ratio.mean(), numbers.loss.mean()
    caption = (
        f"What is looked at. {inputs.describe(selector)} at a gazing ratio of {RATIO:.0%}, "
        f"{_what(chosen, inputs)}. Per clip: frames; gazed patches, outlined in the colour of their scale "
        f"({', '.join(f'{s} px' for s in SCALES)}), the finer the brighter; rebuilt by pasting the finest "
        f"patch seen so far (mid-grey: "
        f"never looked at). Over the {len(numbers)} frames of these clips: ratio {ratio:.3f}, loss {loss:.3f}."
    )
    return Made(numbers, caption, lambda: _draw(strips))


@dataclass(frozen=True)
class Strip:
    """Of T frames: the frames, gazed, rebuilt, uint8 (T, h, w, 3) each; numbers: one row a frame."""

    frames: Pictures
    gazed: Pictures
    rebuilt: Pictures
    numbers: list[dict[str, Any]]


def strip(selector: Selector, clip: Clip, ratio: float) -> Strip:
    """Gaze at a clip and draw every frame of it."""
    tensor = clip.tensor()
    with torch.no_grad():
        gaze = gaze_at(selector, [clip], ratio)
        rebuilt = rebuild(tensor, gaze, memory=True)[0]
    losses, boxes = loss_of(tensor, gaze)[0], gaze.boxes()
    pictures, numbers = [], []
    for t, frame in enumerate(clip.frames):
        mine = Boxes(*(part[boxes.frame == t] for part in boxes))
        big = np.asarray(cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
        pictures.append(gazed(big, mine, 2))
        by_scale = {f"tokens_{s}": int((mine.scale == k).sum()) for k, s in enumerate(SCALES)}
        numbers.append(
            {"clip": clip.name, "frame": t, "loss": float(losses[t]), "ratio": len(mine.scale) / 265}
            | by_scale
        )
    return Strip(clip.frames, np.stack(pictures), _bytes(rebuilt), numbers)


def _bytes(pictures: Tensor) -> Pictures:
    """Float (T, 3, H, W) in [0, 1] -> uint8 (T, H, W, 3)."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()


def _what(shown: list[Clip], inputs: Inputs) -> str:
    """The clips that are shown, for the caption."""
    frames = sorted({len(clip.frames) for clip in shown})
    kind = "clip" if inputs.videos else "generated clip"
    which = ", ".join(clip.name for clip in shown)
    return f"{number(len(shown), kind)} ({which}) of {' or '.join(map(str, frames))} frames"


def _draw(strips: list[Strip]) -> Figure:
    side = style.WIDTH / COLUMNS
    figure, axes = style.panels(3 * len(strips), COLUMNS, 3 * len(strips) * side + 0.35)
    for k, one in enumerate(strips):
        frames = np.linspace(0, len(one.frames) - 1, COLUMNS).round().astype(int)
        for r, (name, pictures) in enumerate(
            (("frame", one.frames), ("gaze", one.gazed), ("rebuilt", one.rebuilt))
        ):
            line: list[Any] = axes[(3 * k + r) * COLUMNS : (3 * k + r + 1) * COLUMNS]
            for axis, t in zip(line, frames, strict=True):
                style.picture(axis, pictures[t], f"frame {t + 1}" if r == 0 else "")
            line[0].text(-0.04, 0.5, name, rotation=90, ha="right", va="center", transform=line[0].transAxes)
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)  # type: ignore[union-attr, call-arg]
    handles = [Line2D([], [], color=c, marker="s", linestyle="none") for c in style.SCALE_COLOURS]
    style.below(figure, handles, [f"{scale} px" for scale in SCALES])
    return figure
