"""Table 2: AutoGaze against methods that drop tokens after (or inside) the encoder: seconds and accuracy."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import reference, style, tables
from analysis.figure import Made, MissingRecordsError
from analysis.inputs import Inputs
from analysis.measured import measured, short_names
from analysis.reference import row
from hlvid.benchmarks import registry

KEY = "table2_token_reduction"
MEASURES = {
    "vit_s": "ViT (s)",
    "llm_s": "LLM (s)",
    "videomme_wo_sub": f"{registry.task('videomme').column} (%)",
    "longvideobench_val": f"{registry.task('longvideobench_val').column} (%)",
}
NEED = MissingRecordsError(
    "no run of ours with a reduction (the paper's rows stand alone)",
    "hlvid eval --task hlvid_mini --model nvila_hd "
    "--model-args pretrained=CKPT,gazing=off,reduction=tome,keep=0.0625 --out runs/tome",
)


def make(inputs: Inputs) -> Made:
    ours = _ours(inputs)
    numbers = pd.DataFrame(_paper() + ours)
    head, rows = ["method", "type", *MEASURES.values()], _lines(numbers)
    ours_head, ours_rows = (
        ["ours", "task", "n", "accuracy (%)", "encoder (s)", "prefill (s)"],
        _our_lines(ours),
    )
    caption = (
        f"Token reduction, {reference.entry(KEY)['setting']}; type: {reference.entry(KEY)['legend']}. "
        f"{reference.mark('printed').capitalize()}. "
        + (f"Ours: {len(ours_rows)} run(s), in the second table; seconds are per "
        f"question." if ours else "Nothing of ours is at hand.")
    )  # fmt: skip
    text = tables.markdown(head, rows) + ("\n" + tables.markdown(ours_head, ours_rows) if ours else "")
    texts = {".md": text, ".tex": tables.latex(head, rows, caption, "tab:reduction")}
    return Made(numbers, caption, lambda: _draw(numbers), texts, None if ours else NEED)


def _paper() -> list[dict[str, Any]]:
    paper = reference.entry(KEY)
    return [
        row("printed", one[1], type=one[0], measure=name, value=value)
        for one in paper["rows"]
        for name, value in zip(paper["columns"][2:], one[2:], strict=True)
    ]


def _ours(inputs: Inputs) -> list[dict[str, Any]]:
    """Three rows a configuration and task; its series is its own, so that no two runs share their seconds."""
    found = [one for one in measured(inputs.records) if one.run.arguments.get("reduction")]
    names = short_names([one.run for one in found], lead=("reduction", "keep"))
    rows = []
    for one in found:
        about = {"type": "ours", "task": one.where, "n": one.numbers["n"], "limit": one.run.limit}
        seconds = dict(one.run.results.get("seconds_per_question") or {})
        accuracy = one.percent
        values = {
            "accuracy": accuracy["value"],
            "vit_s": seconds.get("encoder"),
            "llm_s": seconds.get("prefill"),
        }
        for name, value in values.items():
            ends = {"low": accuracy["low"], "high": accuracy["high"]} if name == "accuracy" else {}
            rows.append(row("measured", names[one.run.identity], measure=name, value=value, **about, **ends))
    return rows


def _lines(numbers: pd.DataFrame) -> list[list[str]]:
    part = numbers[numbers.whose == reference.PAPER]
    table = part.pivot(index=["series", "type"], columns="measure", values="value")
    order = dict.fromkeys(zip(part.series, part.type, strict=True))
    return [[name, kind, *[f"{table.loc[(name, kind), m]:g}" for m in MEASURES]] for name, kind in order]


def _our_lines(ours: list[dict[str, Any]]) -> list[list[str]]:
    lines = []
    for first in [one for one in ours if one["measure"] == "accuracy"]:
        same = [one for one in ours if (one["series"], one["task"]) == (first["series"], first["task"])]
        seconds = {one["measure"]: one["value"] for one in same}
        cells = ["-" if seconds.get(k) is None else f"{seconds[k]:.2f}" for k in ("vit_s", "llm_s")]
        value = f"{first['value']:.1f} [{first['low']:.0f}, {first['high']:.0f}]"
        lines.append([first["series"], first["task"], str(first["n"]), value, *cells])
    return lines


def _draw(numbers: pd.DataFrame) -> Figure:
    paper = numbers[numbers.whose == reference.PAPER]
    names = list(dict.fromkeys(paper.series))
    figure, axes = style.panels(1, len(MEASURES), 3.1, sharey=True)
    for one, (measure, title) in zip(axes, MEASURES.items(), strict=True):
        part = paper[paper.measure == measure]
        colours = [style.COLOURS[1] if name == "AutoGaze" else style.COLOURS[0] for name in part.series]
        one.scatter(part.value, range(len(names)), c=colours, s=18, zorder=3)
        base = part[part.series == "none"].value.iloc[0]
        one.axvline(base, color=style.GREY, linestyle="--", linewidth=0.8)
        one.set_title(title)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    figure.supxlabel("paper, printed; dashed: no reduction", fontsize=7)
    style.letter(axes)
    return figure
