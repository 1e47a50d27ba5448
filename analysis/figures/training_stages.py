"""Table 3: the gazing ratio that reaches one loss, after no training, NTP, RL, both."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, style, tables
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.records import evaluations
from analysis.reference import row

KEY = "table3_training_stages"
NEED = MissingRecordsError(
    "no evaluation of trained checkpoints (the paper's values stand alone)",
    "hlvid train evaluate CLIPS --checkpoint ntp=RUN/model --checkpoint ntp+rl=RUN/model --out runs/training.json",
)
MOST = 7


def make(inputs: Inputs) -> Made:
    rows = [
        row("printed", name, panel="ratio", value=value)
        for name, value in reference.entry(KEY)["rows"].items()
    ]
    reports = sorted(evaluations(inputs.records), key=_stages)
    if reports:
        rows += _ours(reports[-1])
    numbers = pd.DataFrame(rows)
    words = "Nothing of ours is at hand."
    if reports:
        last = reports[-1]
        words = (
            f"Ours: the ratio that reaches a loss of {last['ratio_for_loss']['loss']:.3f} "
            f"({last.get('loss', 'L1, pasted')}), on "
            f"{last['clips']} held-out clips of {len(last['recordings'])} recordings; b: bands 95 %, "
            f"recordings drawn anew. "
            f"'-': not reached at any ratio measured, up to {_largest(last):g}."
        )  # fmt: skip
    caption = f"Gazing ratio needed after each stage of training; paper: for its loss 0.7, printed. {words}"
    head, lines = ["stage", "whose", "ratio"], _lines(numbers)
    return Made(numbers, caption, lambda: _draw(numbers), {".md": tables.markdown(head, lines),
                ".tex": tables.latex(head, lines, caption, "tab:stages")}, None if reports else NEED)  # fmt: skip


def _stages(report: dict[str, Any]) -> int:
    """How many stages of training a report compares: of several, the fullest is drawn, of equals the newest."""
    return sum(name in report["curves"] for name in ("untrained", "ntp", "rl", "ntp+rl"))


def _largest(report: dict[str, Any]) -> float:
    """The largest ratio at which any stage was measured."""
    return max(float(ratio) for points in report["curves"].values() for ratio in points)


def _ours(report: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, value in report["ratio_for_loss"]["ratios"].items():
        rows.append(row("measured", name, panel="ratio", value=value, n=report["clips"]))
    for name, points in report["curves"].items():
        for ratio, one in points.items():
            ends = {"value": one["loss"], "low": one["low"], "high": one["high"], "n": report["clips"]}
            rows.append(row("measured", name, panel="curve", ratio=float(ratio), **ends))
    return rows


def _lines(numbers: pd.DataFrame) -> list[list[str]]:
    part = numbers[numbers.panel == "ratio"]
    return [
        [
            str(one["series"]),
            str(one["whose"]),
            "-" if one["value"] != one["value"] else f"{float(one['value']):.3f}",
        ]
        for one in part.to_dict("records")
    ]


def _draw(numbers: pd.DataFrame) -> Figure:
    there = (numbers.whose == reference.OURS).any()
    figure, axes = style.panels(1, 3 if there else 1, 2.7, width=style.WIDTH if there else 3.4)
    _bars(axes[0], numbers[(numbers.whose == reference.PAPER)], "paper, loss 0.7 (printed)", "////")
    if there:
        _bars(
            axes[1],
            numbers[(numbers.whose == reference.OURS) & (numbers.panel == "ratio")].dropna(subset=["value"]),
            "ours",
            "",
        )
        handles = _curves(axes[2], numbers[numbers.panel == "curve"])
        style.below(figure, list(handles.values()), list(handles), columns=4)
        style.letter(axes)
    return figure


def _bars(axes: Any, part: pd.DataFrame, title: str, hatch: str) -> None:
    part = part.sort_values("value")
    axes.barh(
        part.series.astype(str),
        part.value,
        color=style.COLOURS[0],
        hatch=hatch,
        edgecolor="white",
        height=0.65,
    )
    for y, value in enumerate(part.value):
        axes.text(value, y, f" {value:.3f}", va="center", fontsize=6.5)
    axes.set(xlabel="gazing ratio needed", title=title, xlim=(0, 1.28 * float(part.value.max())))
    axes.grid(axis="y", visible=False)


def _curves(axes: Any, part: pd.DataFrame) -> dict[str, Any]:
    best = part[part.ratio == 0.1].sort_values("value").series.tolist()[:MOST]
    handles = {}
    for index, name in enumerate(best):
        mine = part[part.series == name].sort_values("ratio")
        handles[str(name)] = axes.plot(mine.ratio, mine.value, **style.line(index))[0]
        axes.fill_between(
            mine.ratio, mine.low, mine.high, color=style.COLOURS[index % 7], alpha=0.12, linewidth=0
        )
    axes.set(xlabel="gazing ratio", ylabel="loss", title="ours: loss against ratio")
    return handles
