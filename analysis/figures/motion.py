"""Figure 4: are moving patches looked at more often? Gaze frequency and mean flow, scale by scale.

The first frame is left out: there everything is new, and motion cannot matter.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from analysis import reference, stats, style
from analysis.cache import cached, files_identity
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.studies import clips as sources
from analysis.studies.clips import describe, load_clips
from analysis.studies.flow import flying_chairs
from analysis.studies.patches import measure
from autogaze.gaze import SCALES

RATIO = 0.1
BINS = 6
KEY = "fig4_flow"


def make(inputs: Inputs) -> Made:
    selector = inputs.looker()
    chairs = files_identity(sorted(inputs.chairs.rglob("*_flow.flo"))) if inputs.chairs else []
    key = {**sources.identity(inputs), "chairs": chairs, "ratio": RATIO, **selector.settings()}
    table = cached(inputs, "patches", key, lambda: measure(selector, _clips(inputs), RATIO))
    table = table[table.frame > 0]
    numbers = _numbers(table)
    clusters = table["cluster"].nunique()
    unit = stats.number(clusters, "pair" if inputs.chairs else "video" if inputs.videos else "generated clip")
    caption = (
        f"Gaze against motion. {inputs.describe(selector)} at a gazing ratio of {RATIO:.0%}, on "
        f"{_what(table, inputs)}; "
        f"{len(table):,} patches of frames 2 on. Flow of a patch: its fastest pixel, the larger of forward and "
        f"backward. Top: share of patches gazed in {BINS} bins of equal count, and a least-squares line in "
        f"log2(1 + flow). Bottom: mean flow of gazed and of other patches. Bands and bars: "
        f"{stats.intervals(clusters, unit)}. Dashed, hollow: {reference.mark('read')}; its clips are others, so "
        "only directions compare."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _clips(inputs: Inputs) -> list[Any]:
    if inputs.chairs:
        return list(flying_chairs(inputs.chairs, limit=max(200, inputs.clips)))
    return load_clips(inputs)


def _what(table: pd.DataFrame, inputs: Inputs) -> str:
    """What was measured and whose flow it is, for the caption."""
    if inputs.chairs:
        pairs = table["clip"].nunique()
        return f"{stats.number(pairs, 'pair')} of FlyingChairs with their flow (backward: carried along it)"
    kind = "flow estimated by OpenCV's DIS" if inputs.videos else "exact flow"
    return f"{describe(table, inputs)}, {kind}"


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    paper = reference.entry(KEY)
    for scale in SCALES:
        part = table[table.scale == scale]
        rows += _frequency(part, scale) + _means(part, scale)
        for flow, share in paper["gaze_frequency_fit_ends"][str(scale)]:
            rows.append(row("read", "fit", scale=scale, flow=flow, value=share))
        for group, value in paper["mean_max_flow_by_scale"][str(scale)].items():
            rows.append(row("read", group, scale=scale, value=value))
    return pd.DataFrame(rows)


def _frequency(part: pd.DataFrame, scale: int) -> list[dict[str, Any]]:
    """Binned shares with their intervals, and the fitted line."""
    rows = []
    flow, gazed = part.flow.to_numpy(float), part.gazed.to_numpy(float)
    edges = np.unique(np.quantile(flow, np.linspace(0, 1, BINS + 1)))
    index = np.clip(np.searchsorted(edges, flow, side="right") - 1, 0, max(0, len(edges) - 2))
    for k in np.unique(index):
        mine = part[index == k]
        share = stats.share(mine.gazed.to_numpy(float), mine.cluster.tolist())
        middle = float(mine.flow.median())
        rows.append(row("measured", "bin", scale=scale, flow=middle, **stats.ends(share)))
    at = np.linspace(np.log2(1 + flow.min()), np.log2(1 + np.quantile(flow, 0.995)), 25)
    fit = stats.fitted_line(np.log2(1 + flow), gazed, part.cluster.tolist(), at)
    for x, value, low, high in zip(2**at - 1, *fit, strict=True):
        rows.append(row("measured", "fit", scale=scale, flow=x, value=value, low=low, high=high, n=len(part)))
    return rows


def _means(part: pd.DataFrame, scale: int) -> list[dict[str, Any]]:
    rows = []
    for name, group in (("gazed", part[part.gazed]), ("not_gazed", part[~part.gazed])):
        estimate = stats.mean(group.flow.to_numpy(float), group.cluster.tolist(), least=0)
        rows.append(row("measured", name, scale=scale, **stats.ends(estimate)))
    apart = stats.difference(part.flow.to_numpy(float), part.gazed.to_numpy(bool), part.cluster.tolist())
    return [*rows, row("measured", "gazed minus not gazed", scale=scale, **stats.ends(apart))]


def _draw(numbers: pd.DataFrame) -> Figure:
    figure = plt.figure(figsize=(style.WIDTH, 4.4), layout="constrained")
    grid = figure.add_gridspec(2, 4, height_ratios=[1.1, 1])
    top = [figure.add_subplot(grid[0, k]) for k in range(4)]
    bottom = [figure.add_subplot(grid[1, :2]), figure.add_subplot(grid[1, 2:])]
    for k, (axes, scale) in enumerate(zip(top, SCALES, strict=True)):
        _draw_frequency(axes, numbers[numbers.scale == scale], scale, style.SCALE_COLOURS[k])
    top[0].set_ylabel("share of patches gazed (%)")
    for axes, whose, title in zip(
        bottom, (reference.OURS, reference.PAPER), ("ours", "paper (read off its figure)"), strict=True
    ):
        _draw_means(axes, numbers[numbers.whose == whose], title)
    bottom[0].set_ylabel("mean flow (px / frame)")
    style.letter([*top, *bottom])
    return figure


def _draw_frequency(axes: Any, part: pd.DataFrame, scale: int, colour: str) -> None:
    ours, paper = part[part.whose == "ours"], part[part.whose == "paper"]
    bins, fit = ours[ours.series == "bin"], ours[ours.series == "fit"]
    axes.fill_between(fit.flow, 100 * fit.low, 100 * fit.high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(fit.flow, 100 * fit.value, color=colour)
    error = 100 * style.bars(bins.value, bins.low, bins.high)
    axes.errorbar(bins.flow, 100 * bins.value, error, fmt="o", color="black", markersize=3, elinewidth=0.8)
    ends = paper[paper.series == "fit"]
    x = np.linspace(ends.flow.iloc[0], ends.flow.iloc[1], 50)
    y = np.interp(x, ends.flow, ends.value)
    axes.plot(x, 100 * y, color=style.GREY, linestyle="--", linewidth=1)
    axes.plot(ends.flow, 100 * ends.value, "o", color=style.GREY, markerfacecolor="white", markersize=3.5)
    axes.set_xscale("symlog", linthresh=1)
    style.ticks(axes, (0, 1, 10, 100))
    axes.set_xlim(-0.15, 200)
    # Bands of few clusters reach beyond what a share can be; what was measured sets the height.
    axes.set_ylim(0, max(5.0, min(105.0, 160 * float(np.nanmax([*bins.value, *ends.value])))))
    axes.set_title(f"{scale} px")
    axes.set_xlabel("flow (px / frame)")


def _draw_means(axes: Any, part: pd.DataFrame, title: str) -> None:
    place = np.arange(len(SCALES))
    hatch = "" if title == "ours" else "////"
    for shift, (name, colour) in enumerate((("gazed", style.COLOURS[0]), ("not_gazed", "#BBBBBB"))):
        rows = part[part.series == name]
        error = (
            style.bars(rows.value, rows.low, rows.high) if "low" in rows and rows.low.notna().any() else None
        )
        axes.bar(
            place + 0.4 * shift - 0.2, rows.value, 0.38, yerr=error, color=colour, hatch=hatch,
            edgecolor="white", error_kw={"elinewidth": 0.8}, label=name.replace("_", " "),
        )  # fmt: skip
    axes.set_xticks(place, [f"{scale} px" for scale in SCALES])
    axes.set_ylim(
        0, 1.7 * float(part[part.series.isin(["gazed", "not_gazed"])].value.max())
    )  # by what was measured: few clusters reach far beyond
    axes.grid(axis="x", visible=False)
    axes.set_title(title)
    axes.legend()
