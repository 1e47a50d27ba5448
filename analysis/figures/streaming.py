"""Figure 12: the highest frame rate that keeps up with a live video, by resolution."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, style
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.records import latencies
from analysis.reference import row

KEY = "fig12_streaming_max_fps"
NAMES = {
    "full": "all patches",
    "ag_1fps": "gaze for 1 FPS",
    "ag_3fps": "gaze for 3 FPS",
    "ag_10fps": "gaze for 10 FPS",
    "ag_30fps": "gaze for 30 FPS",
}
NEED = MissingRecordsError(
    "no streaming measured on this machine (panel c is empty)",
    "hlvid latency streaming --cells 30x224,30x448,30x896 --out runs/latency",
)


def make(inputs: Inputs) -> Made:
    rows, paper = [], reference.entry(KEY)
    for kind in ("vit", "mllm"):
        for name, values in paper[kind].items():
            for side, value in zip(paper["resolution"], values, strict=True):
                rows.append(row("read", NAMES[name], panel=kind, resolution=side, value=value))
    table = latencies(inputs.records, "streaming")
    machine = ""
    for one in [] if table is None else table[table.status == "ok"].to_dict("records"):
        machine = str(one["hardware"])
        series = f"gaze for {one['fps']} FPS" if one["gazed"] else "all patches"
        rows.append(
            row(
                "measured",
                series,
                panel="ours",
                resolution=one["resolution"],
                value=one["max_fps"],
                n=one["n"],
            )
        )
    numbers = pd.DataFrame(rows)
    caption = (
        "Highest frame rate that keeps up in real time, frames arriving one by one; gazing ratios are those that "
        f"reach loss 0.7 at 1, 3, 10 and 30 FPS. a, b: {reference.mark('read')}. "
        + (
            f"c: ours, encoder with selector, on {machine}; median of n rounds (CSV)."
            if machine
            else "Nothing of ours is at hand."
        )
    )
    return Made(numbers, caption, lambda: _draw(numbers), missing=None if machine else NEED)


def _draw(numbers: pd.DataFrame) -> Figure:
    titles = {"vit": "paper, ViT (read off)", "mllm": "paper, MLLM (read off)", "ours": "ours, ViT"}
    shown = [panel for panel in titles if (numbers.panel == panel).any()]
    figure, axes = style.panels(1, len(shown), 2.7)
    handles: dict[str, Any] = {}
    for one, panel in zip(axes, shown, strict=True):
        part = numbers[numbers.panel == panel]
        for index, name in enumerate(NAMES.values()):
            mine = part[part.series == name].dropna(subset=["value"]).sort_values("resolution")
            if len(mine):
                look = style.line(index) if panel == "ours" else style.paper_line(index)
                handles.setdefault(name, one.plot(mine.resolution, mine.value, **look)[0])
        one.set(xscale="log", yscale="log", xlabel="resolution (px)", title=titles[panel])
        style.ticks(one, sorted(part.resolution.unique()))
    axes[0].set_ylabel("frames per second")
    style.below(figure, list(handles.values()), list(handles), columns=5)
    style.letter(axes)
    return figure
