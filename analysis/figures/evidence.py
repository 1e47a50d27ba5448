"""New: evidence recall on HLVid-Mini. Is the asked text looked at finely enough, and is the answer then right?"""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis import stats, style
from analysis.cache import cached, files_identity
from analysis.figure import Made, MissingRecordsError
from analysis.figures.selectors import NAMES, places
from analysis.inputs import Inputs
from analysis.records import runs
from analysis.reference import row
from analysis.studies import evidence, recall
from analysis.studies.evidence import COVERED, READABLE, VISIBLE
from analysis.studies.recall import FRAMES, LOOKED
from autogaze.selectors.context import NEEDS

RATIOS = (0.02, 0.05, 0.1, 0.2)
SHOWN = 0.05
RESOLUTION = 1792
NEED = MissingRecordsError(
    "no run of gaze_reader on HLVid-Mini with its gazes kept (panel d: accuracy where the text was seen)",
    "hlvid eval --task hlvid_mini --model gaze_reader "
    "--model-args selector=detail,ratio=0.1,resolution=1792 --out runs/mini-detail",
)


def make(inputs: Inputs) -> Made:
    root = inputs.dataset_root()
    selectors = inputs.compared(tells=NEEDS)
    files = sorted(path for path in root.rglob("*") if path.is_file())  # questions and boxes decide, too
    key = {"files": files_identity(files), "ratios": RATIOS, "resolution": RESOLUTION}
    key |= {"selectors": [one.settings() for one in selectors]}
    table = cached(
        inputs, "evidence", key,
        lambda: recall.measure(root, {one.name: one for one in selectors}, RATIOS, RESOLUTION),
    )  # fmt: skip
    answered = evidence.of_runs([run for run in runs(inputs.records, "hlvid_mini") if run.ok], root)
    numbers = _numbers(table, answered, inputs.looker(tells=NEEDS).name)
    return Made(
        numbers, _caption(inputs, table, answered), lambda: _draw(numbers, inputs.looker(tells=NEEDS).name),
        missing=None if len(answered) else NEED,
    )  # fmt: skip


def _caption(inputs: Inputs, table: pd.DataFrame, answered: pd.DataFrame) -> str:
    n, sources = table.question.nunique(), table.source.nunique()
    looker = inputs.looker(tells=NEEDS)
    accuracy = (
        f" d: share of right answers of {answered.run.nunique()} run(s) where the text was covered and where not "
        f"({len(answered)} answers)." if len(answered) else " d: no run with kept gazes is at hand."
    )  # fmt: skip
    return (
        f"Evidence recall on HLVid-Mini, frames {RESOLUTION} px wide: share of {n} questions whose answer was "
        f"covered, to at least {COVERED:.0%} of its box, by gazed patches of a scale that shows its capitals at "
        f"{READABLE:g} px or more, in one of up to {LOOKED} frames of a uniform {FRAMES} that show at least "
        f"{VISIBLE:.0%} of it (questions that no patch "
        f"could show so are left out; AutoGaze has the same share for every tile, the others "
        f"share it out over the picture). b, c: {NAMES.get(looker.name, looker.name)} at {SHOWN:.0%}; "
        f"{inputs.describe(looker)}. Bars: {stats.intervals(sources, stats.number(sources, 'recording'))}.{accuracy}"
    )


def _numbers(table: pd.DataFrame, answered: pd.DataFrame, looker: str) -> pd.DataFrame:
    table = table.assign(hit=(table.covered >= COVERED).astype(float))
    rows: list[dict[str, Any]] = []
    for (name, ratio), part in table.groupby(["selector", "ratio"], sort=False):
        rows.append(row("measured", name, panel="ratio", x=ratio, **_recall(part)))
    one = table[(table.selector == looker) & (table.ratio == SHOWN)]
    for tier, part in one.groupby("tier"):
        rows.append(row("measured", looker, panel="tier", x=str(tier), **_recall(part)))
    edges = [0, 2, 20, np.inf]
    for low, high in pairwise(edges):
        part = one[(one.speed >= low) & (one.speed < high)]
        if len(part):
            name = f"{low:g} to {high:g}" if np.isfinite(high) else f"over {low:g}"
            rows.append(row("measured", looker, panel="motion", x=name, **_recall(part)))
    for seen, part in answered.groupby(answered.covered >= COVERED) if len(answered) else ():
        share = stats.share(part.correct.astype(float), part.source.tolist())
        rows.append(
            row(
                "measured",
                "accuracy",
                panel="answers",
                x="covered" if seen else "not covered",
                **stats.ends(share),
            )
        )
    return pd.DataFrame(rows)


def _recall(part: pd.DataFrame) -> dict[str, float]:
    return stats.ends(stats.share(part.hit.tolist(), part.source.tolist()))


def _draw(numbers: pd.DataFrame, looker: str) -> Figure:
    there = "answers" in set(numbers.panel)
    figure, axes = style.panels(1, 4 if there else 3, 2.7, sharey=True)
    handles = {}
    for name, index in places(numbers.series).items():
        part = numbers[(numbers.panel == "ratio") & (numbers.series == name)].sort_values("x")
        if len(part):
            # Neighbours are moved apart by some per cent, so that their bars do not hide each other.
            x = part.x.astype(float) * (1 + 0.03 * (index - 2.5))
            error = 100 * style.bars(part.value, part.low, part.high)
            handles[NAMES.get(name, name)] = axes[0].errorbar(
                x, 100 * part.value, error, elinewidth=0.7, **style.line(index)
            )
    axes[0].set(xscale="log", xlabel="gazing ratio", ylabel="questions (%)", title="recall", ylim=(-3, 103))
    style.ticks(axes[0], RATIOS)
    labels = {"tier": "text height (px of 4K)", "motion": "speed (px / frame)", "answers": "the text was"}
    titles = {"tier": "recall by height", "motion": "by speed", "answers": "accuracy"}
    for one, panel in zip(axes[1:], labels, strict=False):
        part = numbers[numbers.panel == panel]
        place = np.arange(len(part))
        error = 100 * style.bars(part.value, part.low, part.high)
        one.errorbar(place, 100 * part.value, error, **style.line(places([looker])[looker], linestyle="none"))
        names = [f"{x}\nn={int(n)}".replace("px", "") for x, n in zip(part.x, part.n, strict=True)]
        one.set_xticks(place, names)
        one.set(xlim=(-0.6, len(part) - 0.4), xlabel=labels[panel], title=titles[panel])
    style.below(figure, list(handles.values()), list(handles), columns=6)
    style.letter(axes)
    return figure
