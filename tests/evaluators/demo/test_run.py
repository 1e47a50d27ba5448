"""The whole demo on the tiny HLVid-Mini, run twice: all files are there, and the second time nothing is answered anew.

Run: pytest -m slow tests/evaluators/demo/test_run.py
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from evaluators.demo.rows import demo_cells, name_of
from evaluators.demo.run import _run_all, run_demo
from evaluators.sweeps.cells import Cell
from hlvid.errors import RunError

ASKED = [{"selector": "detail", "ratio": 0.1, "resolution": px, "frames": 3} for px in (448, 1792)]
CELLS = [Cell("hlvid_mini", "blind", {}), *(Cell("hlvid_mini", "gaze_reader", one, one) for one in ASKED)]


def test_a_preset_that_is_none_of_the_demos_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    for preset in ("nope", "full"):
        with pytest.raises(RunError, match=f"preset is '{preset}'; allowed: default, tiny"):
            run_demo(tmp_path / "demo", preset)
    assert not (tmp_path / "demo").exists()


def test_a_first_table_comes_before_the_large_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("evaluators.demo.run.build_table", lambda rows: f"TABLE {len(rows)}")
    monkeypatch.setattr("evaluators.demo.run.make_row", lambda cell, samples: SimpleNamespace(cell=cell))
    monkeypatch.setattr("evaluators.demo.run.samples_of", lambda results: results)
    order = []

    def run(argv: list[str]) -> dict[str, Any]:
        order.append(argv[-4].rpartition("/")[2])
        return {}

    monkeypatch.setattr("hlvid.tasks.command.run", run)
    names = ("blind", "detail-448-r0.10", "detail-896-r0.10", "everything-448-r1.00", "everything-896-r1.00")
    cells = [cell for cell in demo_cells() if name_of(cell) in names]
    rows = _run_all(cells, tmp_path, Console())
    assert [name_of(row.cell) for row in rows] == list(names), "rows stand as the grid has them"
    assert order == [names[index] for index in (0, 1, 3, 2, 4)], "and run by rising resolution"
    assert capsys.readouterr().out.count("TABLE 3") == 1


@pytest.mark.slow
def test_demo_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    rows = run_demo(tmp_path / "demo", "tiny", CELLS)
    assert [name_of(row.cell) for row in rows] == ["blind", "detail-448-r0.10", "detail-1792-r0.10"]
    record = json.loads((tmp_path / "demo" / "results.json").read_text())
    assert [row["n"] for row in record["rows"]] == [rows[0].results["n"]] * 3
    assert record["environment"]["dataset"].startswith("mini-tiny")
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    pictures = list((tmp_path / "demo" / "pictures").glob("*.jpg"))
    assert pictures and all(f"pictures/{path.name}" in page for path in pictures)
    assert "http://" not in page and "https://" not in page, "the report asks nothing of a network"

    def refuse(*_: object) -> None:
        raise AssertionError("a journalled answer was computed again")

    monkeypatch.setattr("evaluators.models.gaze_reader.model.read_video", refuse)
    again = run_demo(tmp_path / "demo", "tiny", CELLS)
    assert [row.results for row in again] == [row.results for row in rows]
