"""Table 1: every model on every benchmark; ours with intervals, the paper's as reference.

Runs on HLVid-Mini get a column of their own, one for each set of it (and of any other benchmark) that was asked. A row
is one configuration (`analysis.measured`); a run with `--limit` is shown, and says so, only where its configuration
has no whole run on that benchmark.
"""

from typing import Any

import pandas as pd

from analysis import measured, reference, tables
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.reference import row
from evaluators.runs.recipes import FRAMES
from hlvid.benchmarks import registry

_KEYS = {  # task -> its column in the paper's table
    "hlvid_videomme": "videomme", "hlvid_videomme_w_subtitle": "videomme_w_subtitle", "hlvid_mvbench": "mvbench_test",
    "hlvid_nextqa_mc": "nextqa_mc", "hlvid_longvideobench_val": "longvideobench_val",
    "hlvid_egoschema": "egoschema_test", "hlvid_mlvu_dev": "mlvu_m_avg", "hlvid": "hlvid_test",
    "hlvid_mini": "hlvid_mini",
}  # fmt: skip
COLUMNS = {name: (key, registry.task(name).column) for name, key in _KEYS.items()}
LEAD = (
    measured.MODEL,
    "selector",
    "strategy",
    "reduction",
    "inner",
    "model",
    "ratio",
    "loss",
    "gazing",
    "keep",
)
NEED = MissingRecordsError(
    "no finished run of ours (the paper's rows stand alone)",
    "hlvid eval --task hlvid_paper --recipe nvila_8b_hd_video --out runs/nvila_hd",
)


def make(inputs: Inputs) -> Made:
    paper, (ours, names) = _paper(), _ours(inputs)
    used = _columns(ours)
    numbers = pd.DataFrame(paper + ours)
    head = ["model", "frames", "px", *used.values()]
    models = list(dict.fromkeys(numbers.series))
    rows = [_line(numbers[numbers.series == model], names.get(model, model), list(used)) for model in models]
    bold = [k for k, model in enumerate(models) if model in names]
    caption = (
        f"Accuracy in % . Rows without a mark: {reference.mark('printed')}. "
        + (f"Rows 'ours': {len(bold)} configuration(s) run here, with 95 % intervals (clustered by "
        f"recording or video) and n; of several runs of one configuration the whole one, else the longest, else "
        f"the newest. '--limit N': no whole run is at hand, these are the first N questions." if bold
           else "Nothing of ours is at hand.")
    )  # fmt: skip
    texts = {".md": tables.markdown(head, rows), ".tex": tables.latex(head, rows, caption, "tab:main")}
    return Made(numbers, caption, lambda: tables.drawn(head, rows, bold), texts, None if bold else NEED)


def _paper() -> list[dict[str, Any]]:
    return [
        row(
            "printed",
            one["model"],
            benchmark=key,
            column=key,
            value=value,
            frames=one["max_frames"],
            resolution=one["max_resolution"],
        )
        for one in reference.entry("table1")["rows"]
        for key, value in one["accuracy"].items()
    ]


def _ours(inputs: Inputs) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Every configuration on every task of the table, and the short name of each series of them."""
    found = [one for one in measured.measured(inputs.records) if one.task in COLUMNS]
    hidden = (*FRAMES, "resolution")
    short = measured.short_names([one.run for one in found], LEAD, hidden)
    rows, names = [], {}
    for one in found:
        configuration, limit = one.run.identity
        series = f"ours: {configuration}" + ("" if limit is None else f", {measured.LIMIT} {limit}")
        names[series] = f"ours: {short[one.run.identity]}"
        about = {
            "frames": one.frames,
            "resolution": one.run.arguments.get("resolution"),
            "limit": limit,
            "set": one.dataset,
        }
        rows.append(row("measured", series, benchmark=COLUMNS[one.task][0], **about, **one.percent))
    return rows, names


def _columns(ours: list[dict[str, Any]]) -> dict[str, str]:
    """Heads by key: the paper's benchmarks, and of ours a column for every set of questions.

    One set stands in the paper's column; of several each has its own, the largest first.
    """
    columns = {}
    for key, label in COLUMNS.values():
        mine = sorted((one for one in ours if one["benchmark"] == key), key=lambda one: -one["n"])
        sets = list(dict.fromkeys(one["set"] for one in mine))
        if key != "hlvid_mini" or len(sets) == 1:
            columns[key] = label
        for one in sets if len(sets) > 1 else ():
            columns[f"{key} {one}"] = f"{label} ({measured.short_set(one) or 'set not recorded'})"
    for one in ours:
        wide = f"{one['benchmark']} {one['set']}"
        one["column"] = wide if wide in columns else one["benchmark"]
    return columns


def _line(part: pd.DataFrame, model: str, used: list[str]) -> list[str]:
    first = part.iloc[0]
    cells = [model, _plain(first["frames"]), _plain(first["resolution"])]
    for key in used:
        found = part[(part.column == key) & part.value.notna()]
        cells.append(_number(found.iloc[0]) if len(found) else "-")
    return cells


def _number(one: Any) -> str:
    if one["whose"] == reference.PAPER:
        return f"{one['value']:.1f}"
    return f"{one['value']:.1f} [{one['low']:.0f}, {one['high']:.0f}] n={int(one['n'])}"


def _plain(value: Any) -> str:
    if value is None or value != value:
        return "-"
    return value if isinstance(value, str) else f"{float(value):g}"
