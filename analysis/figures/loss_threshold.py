"""Table 5: how accuracy falls as gazing stops at a higher reconstruction loss."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, style, tables
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.measured import measured, short_names
from analysis.reference import row
from evaluators.runs.recipes import FRAMES

KEY = "table5_loss_threshold"
NEED = MissingRecordsError(
    "no run of ours that stops at a loss (the paper's values stand alone)",
    "hlvid eval --task hlvid_mini --model gaze_reader --model-args selector=autogaze,loss=0.7 --out runs/loss-0.7",
)


def make(inputs: Inputs) -> Made:
    ours = _ours(inputs)
    numbers = pd.DataFrame(_paper() + ours)
    head = ["loss", *dict.fromkeys(numbers.series)]
    lines = _lines(numbers, head[1:])
    caption = (
        f"Accuracy (%) by the loss at which gazing stops. Paper: {reference.entry(KEY)['metric']}, "
        f"printed; 'no gaze': every "
        "patch. " + (f"Ours: {len(ours)} run(s) on {_tasks(ours)}, 95 % intervals (recordings drawn "
                     "anew); our checkpoint's loss has other units than the "
                     "paper's." if ours else "Nothing of ours is at hand.")
    )  # fmt: skip
    texts = {".md": tables.markdown(head, lines), ".tex": tables.latex(head, lines, caption, "tab:loss")}
    return Made(numbers, caption, lambda: _draw(numbers), texts, None if ours else NEED)


def _tasks(ours: list[dict[str, Any]]) -> str:
    """Every task with its numbers of questions: "hlvid_mini, n = 8 and 48"."""
    sizes: dict[str, set[int]] = {}
    for one in ours:
        sizes.setdefault(one["task"], set()).add(int(one["n"]))
    return "; ".join(f"{task}, n = {' and '.join(map(str, sorted(n)))}" for task, n in sizes.items())


def _paper() -> list[dict[str, Any]]:
    paper = reference.entry(KEY)
    return [
        row("printed", f"paper, {column}", loss=None if line[0] == "no gaze" else line[0], value=value)
        for line in paper["rows"]
        for column, value in zip(paper["columns"][1:], line[1:], strict=True)
    ]


def _ours(inputs: Inputs) -> list[dict[str, Any]]:
    """One series for each task and each set of settings but the loss: runs that differ in more share no line."""
    found = [one for one in measured(inputs.records) if one.run.arguments.get("loss") is not None]
    names = short_names([one.run for one in found], hidden=("loss", *FRAMES))
    rows = []
    for one in found:
        frames, name = one.frames, names[one.run.identity]
        series = f"ours, {one.where}" + (f", {frames}f" if frames else "") + (f", {name}" if name else "")
        about = {"loss": float(one.run.arguments["loss"]), "task": one.where, "limit": one.run.limit}
        rows.append(row("measured", series, **about, **one.percent))
    return rows


def _lines(numbers: pd.DataFrame, columns: list[str]) -> list[list[str]]:
    losses = sorted({float(x) for x in numbers.loss.dropna()})
    lines = []
    for name, at in [("no gaze", None), *[(f"{loss:g}", loss) for loss in losses]]:
        part = numbers[numbers.loss.isna()] if at is None else numbers[numbers.loss == at]
        values = {one["series"]: float(one["value"]) for one in part.to_dict("records")}
        lines.append([name, *[f"{values[c]:.1f}" if c in values else "-" for c in columns]])
    return lines


def _draw(numbers: pd.DataFrame) -> Figure:
    figure, (axes,) = style.panels(1, 1, 2.6, width=4.2)
    losses = sorted({float(x) for x in numbers.loss.dropna()})
    place = {loss: k + 1 for k, loss in enumerate(losses)}
    for index, series in enumerate(dict.fromkeys(numbers.series)):
        part = numbers[numbers.series == series]
        x = [0 if loss != loss or loss is None else place[float(loss)] for loss in part.loss]
        paper = part.whose.iloc[0] == reference.PAPER
        error = None if paper else style.bars(part.value, part.low, part.high)
        axes.errorbar(
            x, part.value, error, label=series, **(style.paper_line(index) if paper else style.line(index))
        )
    axes.set_xticks(range(len(losses) + 1), ["no gaze", *[f"{loss:g}" for loss in losses]])
    axes.set(xlabel="loss at which gazing stops", ylabel="accuracy (%)")
    axes.legend()
    return figure
