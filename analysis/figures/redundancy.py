"""Figure 7, right: the gazing ratio that reaches a loss, by frame rate and resolution; beside it the paper's.

Example::

    hlvid figure redundancy --videos my_4k_clips/

The same second of video, seen at more frames or more pixels, holds little that is new: the share that has to
be looked at falls. How far depends on the video; ours are another set than the paper's.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import reference, stats, style
from analysis.cache import cached, files_identity
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

TARGET = 0.05
KEY = "fig7_ratio_for_loss_0_7"


def make(inputs: Inputs) -> Made:
    """See the module."""
    from analysis.studies.clips import video_files
    from analysis.studies.losses import METRIC
    from analysis.studies.redundancy import TILES, measure

    selector = inputs.looker()
    files = video_files(inputs.videos or [inputs.dataset_root() / "videos"])[: inputs.clips]
    key = {"videos": files_identity(files), "seed": inputs.seed} | selector.settings()
    table = cached(inputs, "redundancy", key, lambda: measure(selector, files, inputs.seed))
    numbers = _numbers(table)
    whose = "the given folders" if inputs.videos else f"dataset {inputs.dataset}"
    caption = (
        f"Gazing ratio (of 265 tokens a frame) needed for a loss, by frame rate and resolution. Left: "
        f"{inputs.describe(selector)} and a loss of {TARGET}, on one second of each of {len(files)} videos of "
        f"{whose}, up to {TILES} tiles of each; cells that no video has enough frames or pixels for are empty, 'over' "
        f"marks cells where less than half of the videos reach the loss at the largest ratio measured. Intervals "
        f"(95 %, videos drawn anew) are in the CSV. {METRIC}. Right: the paper's loss of 0.7, "
        f"{reference.mark('read')}; "
        "its eight printed values in bold."
    )
    return Made(numbers, caption, lambda: _draw(numbers))


def _numbers(table: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    from analysis.studies.losses import needed
    from analysis.studies.redundancy import RATIOS

    rows: list[dict[str, Any]] = []
    found = needed(table, TARGET, by=("fps", "resolution", "video", "cluster"))
    for (fps, resolution), part in found.groupby(["fps", "resolution"]):
        reached = float(part.needed.notna().mean())
        ratio = stats.ends(stats.mean(part.needed.fillna(max(RATIOS)), part.cluster.tolist()))
        rows.append(row("measured", "needed", fps=fps, resolution=resolution, reached=reached, **ratio))
    paper = reference.entry(KEY)
    for side, values in paper["by_resolution"].items():
        for fps, value in zip(paper["fps"], values, strict=True):
            kind = reference.precision(KEY, value)
            rows.append(row(kind, "needed", fps=fps, resolution=int(side), value=value, reached=1.0))
    return pd.DataFrame(rows)


def _draw(numbers: "pd.DataFrame") -> "Figure":
    figure, axes = style.panels(1, 2, 2.5)
    for one, whose, title in zip(
        axes, (reference.OURS, reference.PAPER), (f"ours, loss {TARGET}", "paper, its loss 0.7"), strict=True
    ):
        _grid(one, numbers[numbers.whose == whose], title)
    style.letter(axes)
    return figure


def _grid(axes: Any, part: "pd.DataFrame", title: str) -> None:
    rates, sides = sorted(part.fps.unique()), sorted(part.resolution.unique())
    values = np.full((len(sides), len(rates)), np.nan)
    for one in part.to_dict("records"):
        values[sides.index(one["resolution"]), rates.index(one["fps"])] = float(one["value"])
    axes.imshow(np.log(values), cmap="cividis", vmin=np.log(0.008), vmax=np.log(0.5), aspect="auto")
    for one in part.to_dict("records"):
        over = "over " if float(one["reached"]) < 0.5 else ""
        axes.text(
            rates.index(one["fps"]), sides.index(one["resolution"]), f"{over}{100 * one['value']:.3g} %",
            ha="center", va="center", color="white" if float(one["value"]) < 0.07 else "black", fontsize=7,
            weight="bold" if one["precision"] == "printed" else "normal",
        )  # fmt: skip
    axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    axes.set_yticks(range(len(sides)), [f"{side:g}" for side in sides])
    axes.set(xlabel="frames per second", ylabel="resolution (px)", title=title)
    axes.grid(visible=False)
