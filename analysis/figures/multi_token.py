"""Table 4: several tokens a step, one scale or all: the gazing ratio needed, and what a clip costs in time."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, style, tables
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.records import evaluations
from analysis.reference import row

KEY = "table4_multi_token"
NEED = MissingRecordsError(
    "no evaluation with several tokens a step (the paper's values stand alone)",
    "hlvid train evaluate CLIPS --checkpoint both=RUN/model --heads --out runs/training.json",
)


def make(inputs: Inputs) -> Made:
    rows = []
    for tokens, several, ratio, seconds in reference.entry(KEY)["rows"]:
        name = f"{tokens} a step" if several else f"{tokens} a step, 224 px alone"
        rows += [
            row("printed", name, measure="ratio", value=ratio),
            row("printed", name, measure="seconds", value=seconds),
        ]
    found = [report for report in evaluations(inputs.records) if _names(report)]
    if found:
        rows += _ours(found[-1])
    numbers = pd.DataFrame(rows)
    words = "Nothing of ours is at hand."
    if found:
        words = (
            f"Ours: ratio that reaches a loss of {found[-1]['ratio_for_loss']['loss']:.3f} and seconds of "
            f"gazing a clip at a ratio "
            f"of 10 %, on {found[-1]['clips']} held-out clips, measured on the CPU that evaluated."
        )  # fmt: skip
    caption = f"Tokens a step. Paper: {reference.entry(KEY)['setting']}, loss 0.7, printed. {words}"
    head, lines = ["setting", "whose", "ratio", "seconds"], _lines(numbers)
    texts = {".md": tables.markdown(head, lines), ".tex": tables.latex(head, lines, caption, "tab:tokens")}
    return Made(numbers, caption, lambda: _draw(numbers), texts, None if found else NEED)


def _names(report: dict[str, Any]) -> list[str]:
    """The contenders that differ in tokens a step, and the reference they are variants of."""
    variants = [name for name in report["curves"] if name.endswith("a step")]
    return [*{name.rpartition(",")[0]: None for name in variants}, *variants]


def _ours(report: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name in _names(report):
        label = name.rpartition(", ")[2] if name.endswith("a step") else "all heads (10 a step)"
        ratio, point = report["ratio_for_loss"]["ratios"][name], report["curves"][name]["0.1"]
        rows.append(row("measured", label, measure="ratio", value=ratio, n=report["clips"]))
        rows.append(
            row("measured", label, measure="seconds", value=point["seconds_a_clip"], n=report["clips"])
        )
    return rows


def _lines(numbers: pd.DataFrame) -> list[list[str]]:
    lines = []
    for (whose, series), part in numbers.groupby(["whose", "series"], sort=False):
        values = dict(zip(part.measure, part.value, strict=True))
        cells = [
            "-" if values[m] is None or values[m] != values[m] else f"{values[m]:.3f}"
            for m in ("ratio", "seconds")
        ]
        lines.append([str(series), str(whose), *cells])
    return lines


def _draw(numbers: pd.DataFrame) -> Figure:
    sides = [side for side in (reference.PAPER, reference.OURS) if (numbers.whose == side).any()]
    figure, axes = style.panels(1, 2, 2.6)
    for side in sides:
        part = numbers[numbers.whose == side]
        for one, measure in zip(axes, ("ratio", "seconds"), strict=True):
            mine = part[part.measure == measure].dropna(subset=["value"])
            look = (
                style.paper_line(0, markersize=6) if side == reference.PAPER else style.line(1, markersize=6)
            )
            one.plot(mine.value, mine.series.astype(str), **(look | {"linestyle": "none"}),
                     label="paper (printed)" if side == reference.PAPER else "ours")  # fmt: skip
    axes[0].set(xlabel="gazing ratio needed", xlim=(0, None))
    axes[1].set(xlabel="seconds a clip", xlim=(0, None))
    axes[1].tick_params(labelleft=False)
    for one in axes:
        one.invert_yaxis()
        one.margins(y=0.12)
    handles, labels = axes[0].get_legend_handles_labels()
    style.below(figure, handles, labels)
    style.letter(axes)
    return figure
