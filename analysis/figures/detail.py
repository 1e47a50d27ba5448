"""Figure 5: do finer patches go where there is more detail? Laplacian variance by scale, scale by variance.

Every picture is gazed at as a clip of one frame; only patches that were looked at count.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, stats, style
from analysis.cache import cached, files_identity
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from analysis.studies import clips as sources
from analysis.studies.clips import Clip, load_clips, read_picture
from analysis.studies.patches import measure
from autogaze.gaze import SCALES
from hlvid.errors import DatasetError

RATIO = 0.1
BINS = 12
KEY = "fig5_detail"
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm"}
MOST = 500
LEAST = 1e-3  # flat patches have a variance near 0, which a logarithmic axis cannot show


def make(inputs: Inputs) -> Made:
    selector = inputs.looker(tells=())
    files = _files(inputs.images) if inputs.images else []
    key = {"images": files_identity(files), **sources.identity(inputs, 2 * inputs.clips), "ratio": RATIO}
    table = cached(
        inputs, "detail", key | selector.settings(),
        lambda: measure(selector, _pictures(inputs, files), RATIO, flow=False),
    )  # fmt: skip
    table = table[table.gazed]
    ranks = stats.rank_correlation(table.scale, table.variance, table.cluster.tolist())
    numbers = _numbers(table, ranks)
    clusters = table["cluster"].nunique()
    source = "picture" if files else "video" if inputs.videos else "generated clip"
    what = stats.number(table["clip"].nunique(), "picture")
    what += (
        f" of {inputs.images.name}/"
        if inputs.images
        else f" (first frames) of {stats.number(clusters, source)}"
    )
    caption = (
        f"Gaze against detail. {inputs.describe(selector)} at a gazing ratio of {RATIO:.0%}, on "
        f"{what}, {len(table):,} gazed patches. Detail: variance, in a "
        f"patch, of the luma convolved with 0 1 0 / 1 -4 1 / 0 1 0. a: its mean by scale. b: mean scale of gazed "
        f"patches in {BINS} bins of equal count (below {LEAST:g} drawn there); ours: {ranks.text}; paper: rho "
        f"{reference.entry(KEY)['spearman_rho']} on other pictures ({reference.mark('read')}). Bars: "
        f"{stats.intervals(clusters, stats.number(clusters, source))}."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)[:MOST]
    if not found:
        raise DatasetError(f"{folder}: no pictures; looked for {', '.join(sorted(PICTURES))}")
    return found


def _pictures(inputs: Inputs, files: list[Path]) -> list[Any]:
    """Clips of one frame."""
    if not files:
        return [
            Clip(clip.name, clip.cluster, clip.frames[:1]) for clip in load_clips(inputs, 2 * inputs.clips)
        ]
    read = ((path.name, read_picture(path)) for path in files)
    return [Clip(name, name, picture[None]) for name, picture in read if picture is not None]


def _numbers(table: pd.DataFrame, ranks: stats.Ranks) -> pd.DataFrame:
    rows, paper = [], reference.entry(KEY)
    for scale in SCALES:
        part = table[table.scale == scale]
        rows.append(row("measured", "variance by scale", x=scale, **_mean(part, "variance")))
        value = paper["mean_laplacian_variance_by_scale"][str(scale)]
        rows.append(row("read", "variance by scale", x=scale, value=value))
    edges = np.quantile(table.variance, np.linspace(0, 1, BINS + 1)[1:-1])
    index = np.searchsorted(edges, table.variance.to_numpy())
    for k in np.unique(index):
        part = table[index == k]
        rows.append(
            row("measured", "scale by variance", x=float(part.variance.median()), **_mean(part, "scale"))
        )
    rows += [row("read", "scale by variance", x=x, value=y) for x, y in paper["scale_px_vs_variance"]]
    rows.append(row("measured", "Spearman's rho", p=ranks.p, **stats.ends(ranks.rho)))
    rows.append(row("read", "Spearman's rho", value=paper["spearman_rho"]))
    return pd.DataFrame(rows)


def _mean(part: pd.DataFrame, column: str) -> dict[str, float]:
    return stats.ends(stats.mean(part[column].to_numpy(float), part.cluster.tolist(), least=0))


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, (left, right) = style.panels(1, 2, 2.5)
    for kind, name in ((reference.OURS, "ours"), (reference.PAPER, "paper (read off)")):
        mine = numbers[numbers.whose == kind]
        look = style.line(0) if kind == reference.OURS else style.paper_line(1)
        for axes, series in ((left, "variance by scale"), (right, "scale by variance")):
            part = mine[mine.series == series].sort_values("x")
            x = [SCALES.index(int(v)) for v in part.x] if axes is left else np.maximum(part.x, LEAST)
            error = style.bars(part.value, part.low, part.high) if kind == reference.OURS else None
            axes.errorbar(x, part.value, error, label=name, elinewidth=0.8, **look)
    left.set_xticks(range(len(SCALES)), [f"{scale}" for scale in SCALES])
    left.set(xlabel="scale (px)", ylabel="variance of the Laplacian", title="gazed patches", yscale="log")
    right.set(
        xlabel="variance of the Laplacian", ylabel="mean scale (px)", title="scale chosen", xscale="log"
    )
    right.set_xlim(left=0.7 * LEAST)
    right.set_ylim(0, 1.05 * SCALES[-1])
    left.legend()
    style.letter([left, right])
    return figure
