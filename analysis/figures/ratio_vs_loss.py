"""Figure 7, left: the reconstruction loss that a gazing ratio buys, under both ways of counting the ratio.

The paper's left panel divides the tokens by the 196 patches of the finest scale, its right one (and the code)
by all 265; the same gaze is 1.35 times "larger" under the first. Both are drawn, so that numbers can be
quoted with the right name.
"""

import pandas as pd
from matplotlib.figure import Figure

from analysis import stats, style
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.studies.clips import describe, over_clusters
from analysis.studies.losses import METRIC
from analysis.studies.selectors import compare

KINDS = (("ratio", "of all 265 tokens"), ("ratio_finest", "of the finest 196"))


def make(inputs: Inputs) -> Made:
    selector = inputs.looker()
    table = compare(inputs)
    table = table[table.selector == selector.name]
    rows = []
    for asked, part in table.groupby("asked"):
        loss = stats.ends(stats.mean(part.loss, part.cluster.tolist()))
        for kind, label in KINDS:
            rows.append(row("measured", label, asked=asked, ratio=part[kind].mean(), **loss))
    for clip, part in table.groupby("clip", sort=False):
        rows += [
            row("measured", f"clip: {clip}", ratio=r, value=v)
            for r, v in zip(part.ratio, part.loss, strict=True)
        ]
    numbers = pd.DataFrame(rows)
    caption = (
        f"Reconstruction loss against gazing ratio. {inputs.describe(selector)}, on "
        f"{describe(table, inputs)}. Thick: means, intervals: {over_clusters(table, inputs)}; "
        f"the same gaze counted {KINDS[0][1]} and {KINDS[1][1]} patches of a frame. Thin: "
        f"single clips. {METRIC}. The paper's values for one loss, by FPS and resolution, stand in `redundancy`."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, (axes,) = style.panels(1, 1, 2.6, width=3.6)
    for _, part in numbers[numbers.series.str.startswith("clip")].groupby("series"):
        axes.plot(part.ratio, part.value, color=style.PALE, linewidth=0.7, zorder=1)
    for index, (_, label) in enumerate(KINDS):
        part = numbers[numbers.series == label].sort_values("ratio")
        error = style.bars(part.value, part.low, part.high)
        axes.errorbar(part.ratio, part.value, error, label=label, zorder=3, **style.line(index))
    axes.set(xscale="log", xlabel="gazing ratio", ylabel="reconstruction loss")
    style.ticks(axes, (0.01, 0.03, 0.1, 0.3))
    axes.legend()
    return figure
