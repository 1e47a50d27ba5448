"""Figure 9: accuracy against frames, then against resolution; tokens; what ran out of memory or context."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, style
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.measured import short_set
from analysis.records import below
from analysis.reference import row
from evaluators.core.outcomes import MEMORY, OVERFLOW
from evaluators.sweeps.records import latest, load

KEY = "fig9_scaling"
NEED = MissingRecordsError(
    "no sweep of ours (the paper's values stand alone)", "hlvid sweep GRID.yaml --out runs/sweep"
)
AXES = ("selector", "frames", "resolution", "ratio", "loss")
MOST = 3  # series of a sweep that one panel can hold readably


def make(inputs: Inputs) -> Made:
    table = _sweep(inputs.records)
    ours = [] if table is None else _ours(table)
    numbers = pd.DataFrame(_paper() + ours)
    words = "Nothing of ours is at hand."
    if table is not None and ours:
        sizes = " and ".join(f"{n:g}" for n in sorted(table.n.dropna().unique()))
        words = (
            f"Ours: {len(table)} cells of {', '.join(sorted(table.task.unique()))}, n = "
            f"{sizes} questions a cell, bars: 95 %, clustered by recording; crosses: out of memory or context."
        )
    caption = (
        f"Scaling. Top: the paper on HLVid ({reference.mark('read')}; a weaker model than that of its "
        f"Table 1): first more "
        f"frames at 448 px, then more pixels at 1,024 frames; without "
        f"gazing the paper has values up to 256 frames. The CSV holds its other benchmarks. {words}"
    )
    return Made(numbers, caption, lambda: _draw(numbers), missing=None if ours else NEED)


def _sweep(folders: Sequence[Path]) -> pd.DataFrame | None:
    """All cells of all sweeps below `folders`, as `evaluators.sweeps.records.load` reads them, with limit and seed.

    Of a cell that was measured with a limit and without one, or in two sweeps, only the whole and newest is given.
    """
    places = sorted({path.parent for path in below(folders, "records.jsonl")})
    if not places:
        return None
    tables = []
    for place in places:
        records = {record["identity"]: record for record in latest(place)}
        own = {name: [records[one].get(name) for one in records] for name in ("limit", "seed", "finished")}
        own["set"] = [str((records[one].get("results") or {}).get("dataset") or "") for one in records]
        tables.append(
            load(place).assign(**{name: pd.Series(values, dtype=object) for name, values in own.items()})
        )
    found: pd.DataFrame = pd.concat(tables, ignore_index=True)
    # A limit of None is the whole; a cell that ran out of memory has no n, whatever its limit.
    order = found.assign(whole=found.limit.isna(), size=found.limit.fillna(0).astype(int))
    order = order.sort_values(["whole", "size", "finished"], na_position="first", kind="stable")
    kept = order.drop_duplicates(["task", "set", "model", "settings", "seed", *AXES], keep="last").index
    return found.loc[sorted(kept)].reset_index(drop=True)


def _paper() -> list[dict[str, Any]]:
    paper = reference.entry(KEY)
    steps = [f"{n}f" for n in paper["frames_at_448"]] + [f"{px}px" for px in paper["resolution_px"]]
    gazed, plain, tokens = paper["autogaze"], paper["no_gazing_64_128_256"], paper["hlvid_tokens_k"]
    curves = [("AutoGaze", task, values) for task, values in gazed.items()]
    curves += [("no gazing", task, values) for task, values in plain.items()]
    for name, series in (("autogaze", "AutoGaze"), ("no_gazing", "no gazing")):
        curves.append((series, "tokens (thousands)", tokens[name]))
    return [
        row("read", series, task=task, step=steps[place], place=place, value=value)
        for series, task, values in curves
        for place, value in enumerate(values)
    ]


def _ours(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for one, series in zip(table.to_dict("records"), _series(table), strict=True):
        ends = {
            "value": _percent(one["accuracy"]),
            "low": _percent(one["clustered_low"]),
            "high": _percent(one["clustered_high"]),
            "n": one["n"],
        }
        place = {name: one[name] for name in ("frames", "resolution", "tokens", "status", "limit")}
        rows.append(row("measured", series, task=one["task"], **place, **ends))
    return rows


def _series(table: pd.DataFrame) -> list[str]:
    """A line for each selector, ratio, loss and limit; cells that still fall on one point are numbered apart."""
    names = []
    for one in table.to_dict("records"):
        # Of a model without one it is NaN beside records that have one.
        parts = [one["selector"] if isinstance(one["selector"], str) else str(one["model"])]
        parts += [
            f"{name} {one[name]:g}" for name in ("ratio", "loss") if one[name] == one[name] and one[name]
        ]
        parts += [f"--limit {int(one['limit'])}"] if one["limit"] == one["limit"] and one["limit"] else []
        parts += [str(one["task"])] if table.task.nunique() > 1 else []
        parts += (
            [short_set(one["set"])]
            if one["set"] and table[table.task == one["task"]]["set"].nunique() > 1
            else []
        )
        names.append(", ".join(parts))
    seen: dict[tuple[Any, ...], int] = {}
    for k, (name, one) in enumerate(zip(names, table.to_dict("records"), strict=True)):
        place = (name, one["task"], one["frames"], one["resolution"])
        seen[place] = seen.get(place, 0) + 1
        names[k] = name if seen[place] == 1 else f"{name} ({seen[place]})"
    return names


def _percent(value: Any) -> float:
    return float("nan") if value is None else 100 * float(value)


def _draw(numbers: pd.DataFrame) -> Figure:
    ours = numbers[numbers.whose == reference.OURS]
    figure, axes = style.panels(2 if len(ours) else 1, 2, 4.9 if len(ours) else 2.6)
    paper = numbers[numbers.whose == reference.PAPER]
    for one, task, label in (
        (axes[0], "hlvid", "accuracy (%)"),
        (axes[1], "tokens (thousands)", "tokens (thousands)"),
    ):
        for index, series in enumerate(("AutoGaze", "no gazing")):
            part = paper[(paper.task == task) & (paper.series == series)].dropna(subset=["value"])
            one.plot(part.place, part.value, label=f"{series} (read off)", **style.paper_line(index))
        steps = paper[(paper.task == "hlvid") & (paper.series == "AutoGaze")].step.tolist()
        one.set_xticks(range(len(steps)), steps, rotation=45, ha="right")
        one.axvline(4.5, color=style.PALE, linewidth=1)
        one.set(title=f"paper, {'HLVid' if task == 'hlvid' else 'tokens'}", ylabel=label)
        one.legend()
    if len(ours):
        _draw_ours(axes[2], ours, "resolution", "frames")
        _draw_ours(axes[3], ours, "frames", "resolution")
        handles, labels = axes[2].get_legend_handles_labels()
        style.below(figure, handles, [f"ours: {label}" for label in labels], columns=3)
    style.letter(axes)
    return figure


def _draw_ours(axes: Any, ours: pd.DataFrame, along: str, fixed: str) -> None:
    """Accuracy along one setting, the other at its largest value that has all points."""
    at = ours.groupby(fixed)[along].nunique().sort_index().pipe(lambda s: s[s == s.max()].index[-1])
    part = ours[ours[fixed] == at]
    for index, series in enumerate(list(dict.fromkeys(part.series))[: 2 * MOST]):
        mine = part[part.series == series].sort_values(along)
        done = mine[mine.status == "ok"]
        x = done[along].astype(float) * (1 + 0.02 * (index - 1))
        axes.errorbar(
            x,
            done.value,
            style.bars(done.value, done.low, done.high),
            label=series,
            elinewidth=0.7,
            **style.line(index),
        )
        failed = mine[mine.status.isin((MEMORY, OVERFLOW))]
        axes.plot(failed[along], np.full(len(failed), 0.04 + 0.05 * index), "x", color=style.COLOURS[index % 7],
                  transform=axes.get_xaxis_transform())  # fmt: skip
    axes.set_xscale("log", base=2)
    style.ticks(axes, sorted(part[along].unique()))
    unit = {"resolution": "width (px)", "frames": "frames"}
    axes.set(
        xlabel=unit[along],
        ylabel="accuracy (%)",
        ylim=(0, 103),
        title=f"ours, {' and '.join(part.task.unique())}, {at:g} {'px' if fixed == 'resolution' else 'frames'}",
    )
