"""One look for all figures: print sizes, a colour-blind safe palette, markers that differ without colour.

Sizes are those of print: 7 inches is the width of a two-column page, and text is 7 to 8 pt there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

# Okabe and Ito's palette, the darkest first; yellow is left out, it vanishes on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
SCALE_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7")  # 32, 64, 112, 224 px, as in the overlays
GREY, PALE = "#666666", "#DDDDDD"
WIDTH = 7.0
PNG_DPI = 200

_RC: dict[str, Any] = {
    "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "legend.fontsize": 7,
    "xtick.labelsize": 7, "ytick.labelsize": 7, "font.family": "DejaVu Sans",
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#E8E8E8",
    "grid.linewidth": 0.6, "axes.axisbelow": True, "axes.linewidth": 0.7, "lines.linewidth": 1.4,
    "lines.markersize": 4, "legend.frameon": False, "errorbar.capsize": 2, "xtick.minor.visible": False,
    "pdf.fonttype": 42, "svg.fonttype": "none", "figure.dpi": 100,
}  # fmt: skip


@contextmanager
def house() -> Iterator[None]:
    """The style, for as long as the block lasts; files are written without a screen."""
    matplotlib.use("Agg")
    settings: Any = _RC
    with matplotlib.rc_context(settings):
        yield


def panels(
    rows: int, columns: int, height: float, width: float = WIDTH, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of `width` x `height` inches and its axes in one list, row by row."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height), layout="constrained", squeeze=False, **options
    )
    return figure, list(axes.flat)


def line(index: int, **more: Any) -> dict[str, Any]:
    """Colour and marker of the `index`-th series; where colours come again, they do with other markers."""
    again, place = divmod(index, len(COLOURS))
    return {"color": COLOURS[place], "marker": MARKERS[(place + again) % len(MARKERS)], **more}


def paper_line(index: int, **more: Any) -> dict[str, Any]:
    """The paper's counterpart of series `index`: the same colour, dashed, hollow markers."""
    return line(index, linestyle="--", markerfacecolor="white", linewidth=1.0, **more)


def bars(values: ArrayLike, low: ArrayLike, high: ArrayLike) -> Any:
    """Error bars as matplotlib takes them, (2, n) distances from the value, never below 0."""
    middle = np.asarray(values, float)
    return np.clip([middle - np.asarray(low, float), np.asarray(high, float) - middle], 0, None)


def letter(axes: Sequence[Axes]) -> None:
    """a, b, c ... before the titles."""
    for name, one in zip("abcdefghijklmnop", axes, strict=False):
        one.set_title(f"{name}   {one.get_title()}", loc="left")
        one.set_title("", loc="center")


def ticks(axes: Axes, values: Sequence[float], axis: str = "x", form: str = "{:g}") -> None:
    """Exactly these ticks, written out; also on logarithmic axes."""
    side = axes.xaxis if axis == "x" else axes.yaxis
    side.set_ticks(list(values), [form.format(value) for value in values])
    side.set_ticks([], minor=True)


def below(figure: Figure, handles: Sequence[Any], labels: Sequence[str], columns: int = 4) -> None:
    """One legend under all panels, where it can hide nothing."""
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def picture(axes: Axes, image: Any, title: str = "") -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_axis_off()
    if title:
        axes.set_title(title)
