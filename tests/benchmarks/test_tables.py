"""Tables of the docs come from the benchmarks' JSON.

pytest tests/benchmarks/test_tables.py
"""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.tables import NONE, PAGES, RESULTS, ROOT, filled, reports
from evaluators.profiling.latency.schema import Row

PAGE = "Before.\n<!-- table: {} -->\nold\n<!-- end -->\nAfter.\n"


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_what_the_json_says(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "<!-- table: " in text
    assert filled(text, reports(RESULTS / "gpu"), RESULTS) == text, "run 'python -m benchmarks.tables'"


def test_where_nothing_was_measured_the_page_says_so() -> None:
    assert filled(PAGE.format("encoder-gpu"), [], RESULTS).splitlines()[2] == NONE


def row(gazed: bool, **own: object) -> dict[str, object]:
    given = {
        "ratio": None,
        "dtype": "float32",
        "attention": "math",
        "status": "ok",
        "hardware": "a gpu",
        **own,
    }
    return asdict(Row(kind="vit", fps=30, resolution=448, gazed=gazed, **given))  # type: ignore[arg-type]


def test_tables_of_a_report(tmp_path: Path) -> None:
    whole = {
        "median_s": 4.0,
        "peak_bytes": 5e9,
        "planned_bytes": 6e9,
        "stages": {"decode": 1.0, "prefill": 2.5},
    }
    costs = {"kernels_a_group": 96.0, "syncs_a_group": 1.0}
    cell = {"dtype": "bfloat16", "tiles": 256, "ratio": 0.1, "status": "ok", "seconds": 0.1}
    gaze = {
        "rows": [
            {**cell, "tiles_per_second": 2560.0, "peak_bytes": 9e9},
            {**cell, "tiles": 1024, "status": "out of memory"},
        ],
        "torch_attention": [{**cell, "seconds": 0.3}],
        "kernels": [{**cell, "milliseconds": 80.0, "kernels": [["gemm", 40.0, 7]]}],
        "frames": 16,
        "references": [{"tiles": 32, "ratio": 0.1, "ours": 900.0, "plain": 10.0, "transformers": 20.0}],
        "profile": {"bfloat16": costs},
        "bfloat16_equal_tokens": 0.6,
    }
    parts = {
        "autogaze": gaze,
        "vit-float32-math": {
            "rows": [row(False, status="out_of_memory"), row(True, median_s=0.5, reached=0.058)]
        },
        "stages-bfloat16-fastest": {"rows": [row(True, **whole)]},
        "film": None,
    }
    said = {part: {"outcome": "passed", "found": found} for part, found in parts.items()}
    (tmp_path / "gpu-all-h200.json").write_text(json.dumps({"name": "all-h200", "parts": said}))
    found = reports(tmp_path)
    assert [part for part, *_ in found] == ["autogaze", "vit-float32-math", "stages-bfloat16-fastest"]

    page = filled(PAGE.format("autogaze-gpu"), found, RESULTS)
    assert page.startswith("Before.\n") and page.endswith("<!-- end -->\nAfter.\n") and "old" not in page
    assert "| bfloat16 | 256 | 0.10 | 0.1 s | 0.3 s | 2.56e+03 | 9 GB |" in page
    assert "| bfloat16 | 1024 | 0.10 | out of memory |  |  |  |" in page and "`gemm` 50%" in page
    assert "ours 900, plain 10, transformers 20" in page and "96 kernels, 1 syncs" in page
    assert "autogaze, all-h200:" in page

    page = filled(PAGE.format("encoder-gpu"), found, RESULTS)
    assert "| 30 | 448 | out of memory | 0.5 s |  | 0.058 |" in page
    page = filled(PAGE.format("stages-gpu"), found, RESULTS)
    assert "| gazed | 4 s | 1 s |  |  | 2.5 s |  | 5 GB | 6 GB |" in page


def test_a_table_that_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError, match="encodre"):
        filled(PAGE.format("encodre"), [], RESULTS)
