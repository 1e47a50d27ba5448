"""Table 1: every model on every benchmark; ours with intervals, the paper's as reference.

Example::

    hlvid eval --task hlvid_paper --recipe nvila_8b_hd_video --out runs/nvila
    hlvid figure main_table --records runs      # .md, .tex, .csv, and a picture

Runs on HLVid-Mini get a column of their own: it is another benchmark than HLVid, and nobody else has run it. A row is
one configuration (`analysis.configurations`); a run with `--limit` is shown, and says so, only where its configuration
has no whole run on that benchmark.
"""

from typing import TYPE_CHECKING, Any

from analysis import configurations, reference, tables
from analysis.inputs import Inputs
from analysis.made import Made, MissingRecordsError
from analysis.reference import row
from evaluators.runs.recipes import FRAMES

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "hlvid_videomme": ("videomme", "VideoMME"), "hlvid_videomme_w_subtitle": ("videomme_w_subtitle", "w. sub."),
    "hlvid_mvbench": ("mvbench_test", "MVBench"), "hlvid_nextqa_mc": ("nextqa_mc", "NExT-QA"),
    "hlvid_longvideobench_val": ("longvideobench_val", "LongVid."), "hlvid_egoschema": ("egoschema_test", "EgoSch."),
    "hlvid_mlvu_dev": ("mlvu_m_avg", "MLVU"), "hlvid": ("hlvid_test", "HLVid"),
    "hlvid_mini": ("hlvid_mini", "HLVid-Mini"),
}  # fmt: skip
LEAD = (
    configurations.MODEL,
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
    """See the module."""
    import pandas as pd

    paper, (ours, names) = _paper(), _ours(inputs)
    numbers = pd.DataFrame(paper + ours)
    used = [
        key
        for key, _ in COLUMNS.values()
        if key != "hlvid_mini" or any(one["benchmark"] == key for one in ours)
    ]
    head = ["model", "frames", "px", *[label for key, label in COLUMNS.values() if key in used]]
    models = list(dict.fromkeys(numbers.series))
    rows = [_line(numbers[numbers.series == model], names.get(model, model), used) for model in models]
    bold = [k for k, model in enumerate(models) if model in names]
    caption = (
        f"Accuracy in % . Rows without a mark: {reference.mark('printed')}. "
        + (f"Rows 'ours': {len(bold)} configuration(s) run here, with 95 % intervals (recordings or "
        f"videos drawn anew) and n; of several runs of one configuration the whole one, else the longest, else "
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
            value=value,
            frames=one["max_frames"],
            resolution=one["max_resolution"],
        )
        for one in reference.entry("table1")["rows"]
        for key, value in one["accuracy"].items()
    ]


def _ours(inputs: Inputs) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Every configuration on every task of the table, and the short name of each series of them."""
    found = [one for one in configurations.measured(inputs.records) if one.task in COLUMNS]
    hidden = (*FRAMES, "resolution")
    short = configurations.short_names([one.run for one in found], LEAD, hidden)
    rows, names = [], {}
    for one in found:
        configuration, limit = one.run.identity
        series = f"ours: {configuration}" + ("" if limit is None else f", {configurations.LIMIT} {limit}")
        names[series] = f"ours: {short[one.run.identity]}"
        about = {"frames": one.frames, "resolution": one.run.arguments.get("resolution"), "limit": limit}
        rows.append(row("measured", series, benchmark=COLUMNS[one.task][0], **about, **one.percent))
    return rows, names


def _line(part: "pd.DataFrame", model: str, used: list[str]) -> list[str]:
    first = part.iloc[0]
    cells = [model, _plain(first["frames"]), _plain(first["resolution"])]
    for key in used:
        found = part[(part.benchmark == key) & part.value.notna()]
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
