"""New: do selectors look at the same places? Intersection over union of their patches, by scale and frame.

The first frame is compared with a blank one by RGB difference (and flow), the paper's convention: there they
take the brightest patches, which shows as a step in the curve over frames.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import stats, style
from analysis.cache import cached
from analysis.figure import Made
from analysis.figures.selectors import NAMES
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.studies.clips import describe, identity, load_clips, over_clusters
from analysis.studies.selectors import likeness
from autogaze.gaze import SCALES

RATIO = 0.1


def make(inputs: Inputs) -> Made:
    selectors, count = inputs.compared(), max(2, inputs.clips // 2)
    key = identity(inputs, count) | {"ratio": RATIO, "selectors": [s.settings() for s in selectors]}
    table = cached(inputs, "agreement", key, lambda: likeness(selectors, load_clips(inputs, count), RATIO))
    looker = inputs.looker().name
    numbers = _numbers(table, looker)
    caption = (
        f"Agreement of selectors at a gazing ratio of {RATIO:.0%}: intersection over union of the patches chosen, "
        f"on {describe(table, inputs)}. {inputs.describe(inputs.looker())}. a: all scales together, every "
        f"pair, frames 2 on. b, c: against {NAMES.get(looker, looker)}, by scale (frames 2 on) and by "
        f"frame; bars: {over_clusters(table, inputs)}. Grey ticks in b: two independent draws of as many patches of "
        "that scale. Patches that neither chose count for nothing; a scale at which no patch is chosen by either "
        "is left out."
    )
    return Made(numbers, caption, lambda: _draw(numbers, looker, [s.name for s in selectors]))


def _numbers(table: pd.DataFrame, looker: str) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for (first, second), pair in table.groupby(["first", "second"], sort=False):
        who = {"first": first, "second": second}
        later = pair[pair.frame > 0]
        for scale, part in later.groupby("scale"):
            chance = float(part.chance.mean())
            rows.append(row("measured", "by scale", scale=scale, chance=chance, **who, **_mean(part)))
        if looker in (first, second):
            for frame, part in pair[pair.scale == 0].groupby("frame"):
                rows.append(row("measured", "by frame", frame=frame, **who, **_mean(part)))
    return pd.DataFrame(rows)


def _mean(part: pd.DataFrame) -> dict[str, float]:
    return stats.ends(stats.mean(part.iou, part.cluster.tolist()))


def _draw(numbers: pd.DataFrame, looker: str, names: list[str]) -> Figure:
    figure, axes = style.panels(1, 3, 2.6, gridspec_kw={"width_ratios": [1.15, 1, 1]})
    _matrix(axes[0], numbers, names)
    others = [name for name in names if name != looker]
    handles = []
    for index, other in enumerate(others):
        part = numbers[(numbers["first"].isin([looker, other])) & (numbers["second"].isin([looker, other]))]
        scales = part[(part.series == "by scale") & (part.scale > 0)].dropna(subset=["value"])
        x = np.array([SCALES.index(int(s)) for s in scales.scale]) + 0.08 * (index - len(others) / 2)
        error = style.bars(scales.value, scales.low, scales.high)
        handles.append(axes[1].errorbar(x, scales.value, error, elinewidth=0.8, **style.line(index)))
        axes[1].plot(x, scales.chance, "_", color=style.GREY, markersize=6)
        frames = part[part.series == "by frame"].sort_values("frame")
        axes[2].plot(frames.frame + 1, frames.value, **style.line(index, markersize=2.5))
    axes[1].set_xticks(range(len(SCALES)), [str(scale) for scale in SCALES])
    axes[1].set(
        xlabel="scale (px)", ylabel="IoU", title=f"against {NAMES.get(looker, looker)}", ylim=(0, None)
    )
    axes[2].set(xlabel="frame", title="by frame", ylim=(0, None))
    style.below(figure, handles, [NAMES.get(other, other) for other in others], columns=6)
    style.letter(axes)
    return figure


def _matrix(axes: Any, numbers: pd.DataFrame, names: list[str]) -> None:
    both = numbers[(numbers.series == "by scale") & (numbers.scale == 0)]
    grid = np.full((len(names), len(names)), np.nan)
    for one in both.to_dict("records"):
        a, b = names.index(str(one["first"])), names.index(str(one["second"]))
        grid[max(a, b), min(a, b)] = float(one["value"])
    axes.imshow(grid[1:, :-1], cmap="cividis", vmin=0, vmax=max(0.5, float(np.nanmax(grid))))
    for i in range(1, len(names)):
        for j in range(i):
            dark = grid[i, j] < 0.3
            axes.text(
                j, i - 1, f"{grid[i, j]:.2f}", ha="center", va="center", color="white" if dark else "black"
            )
    short = [NAMES.get(name, name).replace(" (ours)", "") for name in names]
    axes.set_xticks(range(len(names) - 1), short[:-1], rotation=35, ha="right")
    axes.set_yticks(range(len(names) - 1), short[1:])
    axes.grid(visible=False)
    axes.set_title("IoU, all scales")
