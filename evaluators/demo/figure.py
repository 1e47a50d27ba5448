"""The demo's figure: accuracy against resolution, all questions and tier by tier, with 95 % intervals.

Left: one line a selector and gazing ratio, with the blind floor. Right: each detail tier for the first selector at its
highest ratio; a tier's line should rise at the resolution it was designed for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evaluators.demo.rows import Row, full_series
from evaluators.demo.table import tier_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colour-blind safe palette, darkest first.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vPX"
APART = 1.2
"""Widths nearer to each other than by this factor have one tick, the smaller one's."""
Corner = Literal["upper left", "lower right"]


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the figure as PNG (and a PDF beside it, for papers)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
    _draw_series(left, rows)
    _draw_tiers(right, rows)
    # Where the curves are not: all questions rise from the left, the finest tier is low until the right.
    _dress(left, rows, "upper left")
    _dress(right, rows, "lower right")
    left.set_ylabel("accuracy (%)")
    count = rows[0].results["n"]
    figure.suptitle(f"HLVid-Mini, {count} questions on 4K video; bars: 95 % Wilson intervals", fontsize=11)
    figure.savefig(path, dpi=160)
    figure.savefig(path.with_suffix(".pdf"))
    plt.close(figure)


def _draw_series(axes: "Axes", rows: Sequence[Row]) -> None:
    gazed = [row for row in rows if row.width is not None]
    names = list(dict.fromkeys(row.series for row in gazed))
    for index, name in enumerate(names):
        line = [row for row in gazed if row.series == name]
        _points(axes, index, len(names), name, line, [row.results for row in line])
    for row in rows:
        if row.width is None:
            value = 100 * row.results["accuracy"]
            axes.axhline(value, color="0.45", linestyle="--", linewidth=1.2, label=f"blind ({value:.0f} %)")
    axes.set_title("all questions", fontsize=10)


def _draw_tiers(axes: "Axes", rows: Sequence[Row]) -> None:
    best = full_series(rows)
    tiers = tier_names(best)
    for index, tier in enumerate(tiers):
        _points(axes, index, len(tiers), tier, best, [row.results["by_tier"][tier] for row in best])
    axes.set_title(f"by detail tier ({best[0].series})", fontsize=10)


def _points(
    axes: "Axes", index: int, of: int, label: str, rows: Sequence[Row], values: Sequence[Mapping[str, Any]]
) -> None:
    # Neighbouring series are shifted by a few per cent of x so that their bars do not hide each other.
    shift = 1 + 0.035 * (index - (of - 1) / 2)
    x = [shift * (row.width or 0) for row in rows]
    y = [100 * value["accuracy"] for value in values]
    low, high = ([100 * abs(value["wilson"][end] - value["accuracy"]) for value in values] for end in (0, 1))
    colour = COLOURS[index % len(COLOURS)]
    axes.errorbar(
        x, y, yerr=[low, high], color=colour, marker=MARKERS[index % len(MARKERS)],
        markersize=5, linewidth=1.6, elinewidth=1, capsize=2.5, label=label,
    )  # fmt: skip


def _dress(axes: "Axes", rows: Sequence[Row], corner: Corner) -> None:
    sizes = sorted({size for row in rows if (size := row.width) is not None})
    ticks = [size for n, size in enumerate(sizes) if not n or size > APART * sizes[n - 1]]
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 105)
    axes.set_xlabel("width of the frames seen (px)")
    axes.grid(axis="y", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc=corner)
