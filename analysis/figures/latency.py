"""Figure 8: seconds for one second of video, encoder and whole model, with and without gazing."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, style
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.records import latencies
from analysis.reference import row

KEY = "fig8_latency"
KINDS = {"vit": "encoder (ViT)", "mllm": "whole model (MLLM)"}
NEED = MissingRecordsError(
    "no latency measured on this machine (the paper's values stand alone)",
    "hlvid latency vit --out runs/latency && hlvid latency mllm --out runs/latency",
)


def make(inputs: Inputs) -> Made:
    rows = _paper()
    ours = [row for kind in KINDS for row in _ours(inputs, kind)]
    numbers = pd.DataFrame(rows + ours)
    machines = sorted({str(one["group"]) for one in ours})
    words = (
        f"Ours: medians with the fastest and slowest of n rounds, on {'; '.join(machines)}; crosses at the top: out of "
        "memory or left out as too slow." if ours else "Nothing of ours is at hand."
    )  # fmt: skip
    caption = (
        "Seconds for one second of video, selector included, FP32, no flash attention, by FPS x resolution. "
        f"Dashed, hollow: {reference.mark('read')}; where the paper shows no baseline it ran out of "
        f"memory. {words} The "
        "paper prints speed-ups of 8.27 (ViT, 30x448), 19.05 (ViT, 30x896) and 10.25 (MLLM, 30x224)."
    )
    return Made(numbers, caption, lambda: _draw(numbers), missing=None if ours else NEED)


def _paper() -> list[dict[str, Any]]:
    paper, rows = reference.entry(KEY), []
    for kind in KINDS:
        for gazed, name in ((False, "baseline"), (True, "autogaze")):
            for column, value in zip(paper["columns"], paper[f"{kind}_{name}"], strict=True):
                status = "ok" if value is not None else "out_of_memory"
                rows.append(
                    row(
                        "read",
                        _series(gazed),
                        panel=kind,
                        column=column,
                        value=value,
                        status=status,
                        group="paper",
                    )
                )
    return rows


def _ours(inputs: Inputs, kind: str) -> list[dict[str, Any]]:
    table = latencies(inputs.records, kind)
    if table is None:
        return []
    rows = []
    for one in table.to_dict("records"):
        group = (
            f"{one['hardware']}, shape {one.get('shape', '?')}, {one['dtype']}, {one['attention']} attention"
        )
        ends = {"value": one["median_s"], "low": one["low_s"], "high": one["high_s"], "n": one["n"]}
        column = f"{one['fps']}x{one['resolution']}"
        rows.append(
            row(
                "measured",
                _series(one["gazed"]),
                panel=kind,
                column=column,
                status=one["status"],
                group=group,
                **ends,
            )
        )
    return rows


def _series(gazed: bool) -> str:
    return "gazed" if gazed else "all patches"


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, axes = style.panels(1, 2, 2.9)
    # The paper's and ours, by resolution, then frame rate.
    columns = sorted(set(numbers.column), key=lambda column: [int(part) for part in column.split("x")][::-1])
    handles: dict[str, Any] = {}
    for one, (kind, title) in zip(axes, KINDS.items(), strict=True):
        part = numbers[numbers.panel == kind]
        for number, group in enumerate(dict.fromkeys(part.group)):
            for index, series in enumerate((_series(False), _series(True))):
                mine = part[(part.group == group) & (part.series == series)]
                label = f"{series}, {'paper' if group == 'paper' else group.split(',')[0]}"
                handles.setdefault(
                    label, _line(one, mine, columns, index + 2 * max(0, number - 1), group == "paper")
                )
        one.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
        one.set(yscale="log", ylabel="seconds", title=title, xlabel="FPS x resolution (px)")
        one.set_ylim(top=3 * float(part.value.max()))  # room for the crosses above the points
    style.below(figure, list(handles.values()), list(handles), columns=2)
    style.letter(axes)
    return figure


def _line(axes: Any, part: pd.DataFrame, columns: list[str], index: int, paper: bool) -> Any:
    part = part.assign(place=[columns.index(c) for c in part.column]).sort_values("place")
    done = part[part.status == "ok"].dropna(subset=["value"])
    look = style.paper_line(index) if paper else style.line(index)
    error = style.bars(done.value, done.low, done.high) if "low" in done and done.low.notna().any() else None
    drawn = axes.errorbar(done.place, done.value, error, elinewidth=0.8, **look)
    failed = part[part.status != "ok"]
    axes.plot(failed.place, [0.97 - 0.04 * index] * len(failed), "x", color=style.COLOURS[index % 7], markersize=5,
              transform=axes.get_xaxis_transform())  # fmt: skip
    return drawn
