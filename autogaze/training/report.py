"""One page of one run of training or several: curves, validation, where the model gazes. It needs no server.

Drawn from what a run leaves (`autogaze.training.trail`), finished or not.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from autogaze.training.config import TrainingError
from autogaze.training.trail import lines

Entries = Sequence[Mapping[str, float]]

SMOOTH = 50
"""Points that a curve is averaged to: steps are noisy."""
HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>AutoGaze training</title>
<style>body{font:15px system-ui;margin:2em auto;max-width:70em}td,th{padding:.2em .8em;text-align:right}
td:first-child,th:first-child{text-align:left}img{max-width:100%}</style><h1>AutoGaze training</h1>"""


def write(runs: Sequence[Path], page: Path) -> Path:
    """Write the page and return its path. Raises TrainingError for a folder that is no run."""
    short = [run.name for run in runs]
    names = {run: run.name if short.count(run.name) == 1 else str(run) for run in runs}
    steps = {name: lines(run / "metrics.jsonl") for run, name in names.items()}
    for run, name in names.items():
        if not steps[name]:
            raise TrainingError(f"{run}: no metrics.jsonl with a step in it; give the --out folder of a run")
    looks = {name: lines(run / "validation.jsonl") for run, name in names.items()}
    parts = [HEAD, _image(_curves(steps, looks)), _table(steps, looks)]
    for run, name in names.items():
        if pictures := sorted((run / "pictures").glob("*.png")):
            parts.append(f"<h2>{escape(name)}, step {int(pictures[-1].stem)}</h2>")
            parts.append(_image(pictures[-1].read_bytes()))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(parts) + "</html>\n", encoding="utf-8")
    return page


def _curves(steps: Mapping[str, Entries], looks: Mapping[str, Entries]) -> bytes:
    """Every figure of the steps in a panel of its own, every figure of validation in another; PNG."""
    trained = [name for name in _names(steps) if name != "seconds"]
    panels = [(name, steps) for name in trained] + [(name, looks) for name in _names(looks)]
    columns = 4
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.4 * rows), layout="constrained")
    for k, (name, runs) in enumerate(panels):
        axes = figure.add_subplot(rows, columns, k + 1)
        for run, entries in runs.items():
            known = [entry for entry in entries if name in entry]
            x, y = ([entry[key] for entry in known] for key in ("step", name))
            axes.plot(*_smooth(x, y), marker="." if len(x) < SMOOTH else "", label=run)
        kind = "train" if runs is steps else "validation, ratio" if name[0].isdigit() else "validation"
        axes.set_title(f"{kind} {name}", fontsize=9)
        axes.tick_params(labelsize=7)
    figure.legend(list(steps), loc="outside lower center", ncols=6, fontsize=8)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()


def _smooth(x: Sequence[float], y: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """At most `SMOOTH` means of neighbours."""
    if len(x) <= SMOOTH:
        return x, y
    return tuple([float(part.mean()) for part in np.array_split(np.asarray(v), SMOOTH)] for v in (x, y))  # type: ignore[return-value]


def _table(steps: Mapping[str, Entries], looks: Mapping[str, Entries]) -> str:
    """The last step and the last validation of each run."""
    names = _names(looks)
    cells = [["run", "steps", "hours", "loss", *names]]
    for run, entries in steps.items():
        hours = sum(entry.get("seconds", 0.0) for entry in entries) / 3600
        last = looks[run][-1] if looks[run] else {}
        shown = [f"{last[name]:.4f}" if name in last else "-" for name in names]
        cells.append(
            [run, f"{len(entries)}", f"{hours:.2f}", f"{entries[-1].get('loss', np.nan):.4f}", *shown]
        )
    rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in cells]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def _names(runs: Mapping[str, Entries]) -> list[str]:
    """Every figure's name, in the order in which they come up."""
    found = dict.fromkeys(name for entries in runs.values() for entry in entries for name in entry)
    return [name for name in found if name != "step"]


def _image(png: bytes) -> str:
    return f'<p><img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
