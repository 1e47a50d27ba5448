"""The tables of docs/autogaze.md and docs/latency.md, made from the JSON of `benchmarks/`; without any they say so.

python -m benchmarks.tables               # writes them into the pages, between <!-- table: NAME --> and <!-- end -->
python -m benchmarks.tables --check       # exit status 1 where a page says something else than the JSON
python -m benchmarks.tables --gpu FOLDER  # what `benchmarks/gpu.sh` brought back, if not in benchmarks/results/gpu
"""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks/results"
PAGES = ("docs/autogaze.md", "docs/latency.md")
NONE = "No GPU has run this part of `benchmarks/gpu.sh` yet: there is no table."
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.S)
STAGES = ("decode", "selector", "encoder", "prefill", "generation")
Found = list[tuple[str, str, Any]]


def main() -> None:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--gpu", type=Path, default=RESULTS / "gpu")
    options = parser.parse_args()
    found, stale = reports(options.gpu), []
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        fresh = filled(text, found, RESULTS)
        if fresh != text:
            stale.append(page)
            if not options.check:
                path.write_text(fresh, encoding="utf-8")
    print(f"tables: {', '.join(stale) or 'nothing'} {'differs' if options.check else 'written'}")
    raise SystemExit(bool(stale) and options.check)


def reports(folder: Path) -> Found:
    """(part, versions, what it measured) of all parts of all reports, by the reports' names."""
    found = []
    for path in sorted(folder.glob("gpu-*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        found += [
            (part, report["name"], said["found"]) for part, said in report["parts"].items() if said["found"]
        ]
    return found


def filled(text: str, found: Found, results: Path) -> str:
    """A page with its tables as they should be. Raises KeyError for a table that nobody makes."""

    def block(match: re.Match[str]) -> str:
        name = match[2]
        lines = cpu_table(results) if name == "autogaze-cpu" else _gpu(name, found)
        return match[1] + "\n".join(lines) + "\n" + match[3]

    return BLOCK.sub(block, text)


def _gpu(name: str, found: Found) -> list[str]:
    begins, make = GPU[name]
    lines = []
    for part, where, said in found:
        if part.startswith(begins):
            lines += [*([""] if lines else []), f"{part}, {where}:", "", *make(said)]
    return lines or [NONE]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def cpu_table(results: Path) -> list[str]:
    """Seconds of `benchmarks/autogaze.py`, of every machine that ran it."""
    rows = []
    for path in sorted(results.glob("autogaze-*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        for row in report["rows"]:
            spent, faster = row["seconds"], row["speedup"]
            stops = "" if row["loss"] is None else ", stopping early"
            others = [f"{_s(spent[name])}, {faster[name]:.1f}x" for name in ("plain", "transformers")]
            rows.append([str(row["batch"]), f"{row['ratio']:.2f}{stops}", _s(spent["ours"]), *others])
    return table(("tiles", "ratio", "ours", "plain loop", "loop with transformers' Llama"), rows)


def autogaze(said: Any) -> list[str]:
    """Tiles a second by precision, tiles and ratio; the references; what a group costs, and where the time goes."""
    rows = []
    others = {_of(row): row for row in said["torch_attention"]}
    for row in said["rows"]:
        first = [row["dtype"], str(row["tiles"]), f"{row['ratio']:.2f}"]
        other = _s(others.get(_of(row), {}).get("seconds"))
        if row["status"] == "ok":
            rate, peak = f"{row['tiles_per_second']:.3g}", _gb(row["peak_bytes"])
            rows.append([*first, _s(row["seconds"]), other, rate, peak])
        else:
            rows.append([*first, row["status"], other, "", ""])
    head = ("products in", "tiles", "ratio", "time", "with torch's attention", "tiles/s", "peak")
    lines = table(head, rows)
    for one in said["references"]:
        rates = ", ".join(f"{name} {one[name]:.3g}" for name in ("ours", "plain", "transformers"))
        lines += [
            "",
            f"float32, {one['tiles']} tiles of {said['frames']} frames, ratio {one['ratio']}, tiles/s: {rates}.",
        ]
    for dtype, costs in said["profile"].items():
        each = ", ".join(f"{value:.4g} {name.split('_')[0]}" for name, value in costs.items())
        lines += ["", f"A group of ten tokens in {dtype}: {each}."]
    for one in said["kernels"]:
        most = ", ".join(
            f"`{name[:50]}` {time / one['milliseconds']:.0%}" for name, time, _ in one["kernels"][:4]
        )
        lines += ["", f"{one['dtype']}, {one['tiles']} tiles, ratio {one['ratio']}: {most}."]
    if "bfloat16_equal_tokens" in said:
        lines += ["", f"bfloat16 chooses {said['bfloat16_equal_tokens']:.0%} of float32's slots."]
    return lines + (["", said["note"]] if "note" in said else [])


def _of(row: Any) -> tuple[object, ...]:
    return row["dtype"], row["tiles"], row["ratio"]


def cells(said: Any) -> list[str]:
    """Figure 8's cells: seconds ungazed and gazed."""
    by: dict[tuple[int, int], dict[bool, Any]] = {}
    for row in said["rows"]:
        by.setdefault((row["fps"], row["resolution"]), {})[row["gazed"]] = row
    rows = []
    for (fps, px), both in by.items():
        plain, gazed = both.get(False), both.get(True)
        times = [row and row["median_s"] for row in (plain, gazed)]
        faster = f"{times[0] / times[1]:.1f}x" if all(times) else ""
        ratio = f"{gazed['reached']:.3f}" if gazed and gazed["reached"] else ""
        rows.append([str(fps), str(px), _cell(plain), _cell(gazed), faster, ratio])
    return table(("FPS", "px", "ungazed", "gazed", "", "gazed share"), rows)


def stages(said: Any) -> list[str]:
    """Seconds by stage of a whole answer, peak memory beside what `hlvid plan` foretells."""
    rows = []
    for row in said["rows"]:
        times = [_s(row["stages"].get(name)) for name in STAGES]
        memory = [_gb(row["peak_bytes"]), _gb(row["planned_bytes"])]
        way = "gazed" if row["gazed"] else "all patches"
        rows.append([str(row["fps"]), str(row["resolution"]), way, _cell(row), *times, *memory])
    return table(("frames", "px", "", "whole", *STAGES, "peak", "planned"), rows)


GPU: dict[str, tuple[str, Callable[[Any], list[str]]]] = {
    "autogaze-gpu": ("autogaze", autogaze),
    "encoder-gpu": ("vit", cells),
    "stages-gpu": ("stages", stages),
}
"""By the table's name: the parts that it is made of, and how."""


def _cell(row: Any) -> str:
    if row is None:
        return ""
    return {"out_of_memory": "out of memory", "skipped": "left out"}.get(row["status"]) or _s(row["median_s"])


def _s(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3g} s"


def _gb(count: float | None) -> str:
    return "" if count is None else f"{count / 1e9:.3g} GB"


if __name__ == "__main__":
    main()
