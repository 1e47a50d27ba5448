"""Figure 10: reconstruction loss against gazing ratio for every selector there is.

Ours and the paper's stand in two panels, since the two losses have different units.
"""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, stats, style
from analysis.figure import Made
from analysis.inputs import COMPARED, Inputs
from analysis.reference import row
from analysis.studies.clips import describe, over_clusters
from analysis.studies.losses import METRIC
from analysis.studies.selectors import compare

KEY = "fig10_gazing_baselines"
NAMES = {
    "autogaze": "AutoGaze", "detail": "detail (ours)", "rgb_diff": "RGB difference",
    "optical_flow": "optical flow", "centre": "centre", "random": "random",
    "coarse_first": "coarse first (blind)",
}  # fmt: skip


def places(names: Iterable[str]) -> dict[str, int]:
    """Which line a selector is drawn with: always the same for those that are compared, then a user's own."""
    return {name: index for index, name in enumerate(dict.fromkeys([*COMPARED, *names]))}


def make(inputs: Inputs) -> Made:
    table = compare(inputs)
    numbers = _numbers(table)
    learned = inputs.describe(inputs.named("autogaze")) if inputs.weights() else "AutoGaze: no weights here"
    caption = (
        f"Loss against gazing ratio (share of the 265 patches of all scales) for "
        f"{', '.join(table.selector.unique())}, on {describe(table, inputs)}. "
        f"{learned}. {METRIC}. First frames are "
        f"compared with a blank one by RGB difference and flow, as in the paper. {_best(table)} Bars: "
        f"{over_clusters(table, inputs)}. b: {reference.mark('read')}."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for (name, asked), part in table.groupby(["selector", "asked"], sort=False):
        loss = stats.mean(part.loss, part.cluster.tolist())
        rows.append(row("measured", name, asked=asked, ratio=part.ratio.mean(), **stats.ends(loss)))
    for name, points in reference.entry(KEY).items():
        if name not in ("precision", "metric"):
            rows += [row("read", name, ratio=ratio, value=loss) for ratio, loss in points]
    return pd.DataFrame(rows)


def _best(table: pd.DataFrame) -> str:
    """The learned selector against the best of the others, paired clip by clip, at a ratio of 10 %."""
    part = table[table.asked == 0.1].pivot(index=["clip", "cluster"], columns="selector", values="loss")
    if "autogaze" not in part or part.shape[1] < 2:
        return ""
    others = part.drop(columns="autogaze")
    rival = str(others.mean().idxmin())
    gap = stats.mean((part["autogaze"] - part[rival]).to_numpy(), part.index.get_level_values(1).tolist())
    return (
        f"At 10 %: AutoGaze minus {NAMES.get(rival, rival)}, the best of the others, paired by clip: "
        f"{gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}], n = {gap.n} clips."
    )


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, (left, right) = style.panels(1, 2, 2.8)
    handles: dict[str, Any] = {}
    for name, index in places(numbers.series).items():
        part = numbers[numbers.series == name]
        ours, paper = part[part.whose == "ours"].sort_values("ratio"), part[part.whose == "paper"]
        if len(ours):
            error = style.bars(ours.value, ours.low, ours.high)
            handles[NAMES.get(name, name)] = left.errorbar(
                ours.ratio, ours.value, error, elinewidth=0.8, **style.line(index)
            )
        if len(paper):
            drawn = right.plot(paper.ratio, paper.value, **style.paper_line(index))
            handles.setdefault(NAMES.get(name, name), drawn[0])
    left.set(title="ours: L1, pasted", ylabel="reconstruction loss", xscale="log")
    style.ticks(left, (0.01, 0.03, 0.1, 0.3))
    right.set(title="paper (read off): L1 + features, learned", ylim=(0, None))
    for axes in (left, right):
        axes.set_xlabel("gazing ratio")
    style.below(figure, list(handles.values()), list(handles), columns=6)
    style.letter([left, right])
    return figure
