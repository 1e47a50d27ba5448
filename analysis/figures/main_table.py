"""Table 1: every model on every benchmark; ours with intervals, the paper's as reference.

Example::

    hlvid eval --task hlvid_paper --recipe nvila_8b_hd_video --out runs/nvila
    hlvid figure main_table --records runs      # .md, .tex, .csv, and a picture

Runs on HLVid-Mini get a column of their own: it is another benchmark than HLVid, and nobody else has run it.
"""

from typing import Any

from analysis import reference, tables
from analysis.inputs import Inputs
from analysis.made import Made, MissingRecordsError
from analysis.reference import row

COLUMNS = {
    "hlvid_videomme": ("videomme", "VideoMME"), "hlvid_videomme_w_subtitle": ("videomme_w_subtitle", "w. sub."),
    "hlvid_mvbench": ("mvbench_test", "MVBench"), "hlvid_nextqa_mc": ("nextqa_mc", "NExT-QA"),
    "hlvid_longvideobench_val": ("longvideobench_val", "LongVid."), "hlvid_egoschema": ("egoschema_test", "EgoSch."),
    "hlvid_mlvu_dev": ("mlvu_m_avg", "MLVU"), "hlvid": ("hlvid_test", "HLVid"),
    "hlvid_mini": ("hlvid_mini", "HLVid-Mini"),
}  # fmt: skip
NEED = MissingRecordsError(
    "no finished run of ours (the paper's rows stand alone)",
    "hlvid eval --task hlvid_paper --recipe nvila_8b_hd_video --out runs/nvila_hd",
)


def make(inputs: Inputs) -> Made:
    """See the module."""
    import pandas as pd

    paper, ours = _paper(), _ours(inputs)
    numbers = pd.DataFrame(paper + ours)
    used = [
        key
        for key, _ in COLUMNS.values()
        if key != "hlvid_mini" or any(one["benchmark"] == key for one in ours)
    ]
    head = ["model", "frames", "px", *[label for key, label in COLUMNS.values() if key in used]]
    models = list(dict.fromkeys(numbers.series))
    rows = [_line(numbers[numbers.series == model], model, used) for model in models]
    bold = [k for k, model in enumerate(models) if model.startswith("ours")]
    caption = (
        f"Accuracy in % . Rows without a mark: {reference.mark('printed')}. "
        + (f"Rows 'ours': {len(bold)} configuration(s) run here, with 95 % intervals (recordings or "
        f"videos drawn anew) and n." if bold
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


def _ours(inputs: Inputs) -> list[dict[str, Any]]:
    """Every finished run on a task of the table; of a group, each of its tasks."""
    from analysis.records import runs

    rows = []
    for run in runs(inputs.records):
        tasks = {run.results["task"]: run.results} | dict(run.results.get("tasks") or {})
        for task, result in tasks.items():
            if run.ok and task in COLUMNS and result.get("accuracy") is not None:
                low, high = result["clustered"]
                about = {"frames": run.arguments.get("frames"), "resolution": run.arguments.get("resolution")}
                ends = {
                    "value": 100 * result["accuracy"],
                    "low": 100 * low,
                    "high": 100 * high,
                    "n": result["n"],
                }
                rows.append(
                    row("measured", f"ours: {_short(run)}", benchmark=COLUMNS[task][0], **about, **ends)
                )
    return rows


def _short(run: Any) -> str:
    """The model and what sets it apart from its other runs: frames and resolution have columns of their own."""
    shown = {
        k: v for k, v in run.arguments.items() if k in ("selector", "ratio", "loss", "reduction", "strategy")
    }
    return " ".join(
        [
            str(run.results["model"]),
            *[f"{value}" if k == "selector" else f"{k} {value}" for k, value in shown.items()],
        ]
    )


def _line(part: Any, model: str, used: list[str]) -> list[str]:
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
