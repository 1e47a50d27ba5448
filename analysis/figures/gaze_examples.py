"""Figures 2, 6, 11 and 14 to 30: what is looked at, scale by scale, and what can be rebuilt from it.

Three clips, six frames each: the frame, the gazed patches in the colours of their scales, the rebuilt frame.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis import style
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.stats import number
from analysis.studies.clips import Clip, load_clips
from analysis.studies.pictures import Strip, strip
from autogaze.gaze import SCALES

RATIO = 0.1
CLIPS, COLUMNS = 3, 6


def make(inputs: Inputs) -> Made:
    """See the module."""
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
