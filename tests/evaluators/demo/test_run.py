"""The whole demo on the tiny HLVid-Mini, run twice: all files are there, and the second time nothing is answered anew.

Run: pytest -m slow tests/evaluators/demo/test_run.py
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from evaluators.demo.grid import demo_settings
from evaluators.demo.run import _run_all, run_demo
from hlvid.errors import RunError

SETTINGS = demo_settings(resolutions=(448, 1792), ratios=(0.1,), others=(), frames=3)


def test_a_preset_that_is_none_of_the_demos_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    for preset in ("nope", "full"):
        with pytest.raises(RunError, match=f"preset is '{preset}'; allowed: default, tiny"):
            run_demo(tmp_path / "demo", preset)
    assert not (tmp_path / "demo").exists()


def test_a_first_table_comes_before_the_large_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("evaluators.demo.run.build_table", lambda rows: f"TABLE {len(rows)}")
    monkeypatch.setattr(
        "evaluators.demo.run.make_row", lambda setting, samples: SimpleNamespace(setting=setting)
    )
    order = []

    def run(argv: list[str]) -> dict[str, Any]:
        order.append(argv[-4].rpartition("/")[2])
        return {"samples": {"hlvid_mini": []}}

    monkeypatch.setattr("hlvid.tasks.command.run", run)
    settings = demo_settings(resolutions=(448, 896), others=("everything",))
    rows = _run_all(settings, tmp_path, Console())
    assert [row.setting.name for row in rows] == [setting.name for setting in settings]
    assert order == [
        "blind",
        *(
            f"{name}-{px}-r{r}"
            for px in (448, 896)
            for name, r in (("detail", "0.10"), ("everything", "1.00"))
        ),
    ]
    assert capsys.readouterr().out.count("TABLE 3") == 1


@pytest.mark.slow
def test_demo_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    rows = run_demo(tmp_path / "demo", "tiny", SETTINGS)
    assert [row.setting.name for row in rows] == ["blind", "detail-448-r0.10", "detail-1792-r0.10"]
    record = json.loads((tmp_path / "demo" / "results.json").read_text())
    assert [row["overall"]["n"] for row in record["rows"]] == [rows[0].summary.overall.n] * 3
    assert record["environment"]["dataset"].startswith("mini-tiny")
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    pictures = list((tmp_path / "demo" / "pictures").glob("*.jpg"))
    assert pictures and all(f"pictures/{path.name}" in page for path in pictures)
    assert "http://" not in page and "https://" not in page, "the report asks nothing of a network"

    def refuse(*_: object) -> None:
        raise AssertionError("a journalled answer was computed again")

    monkeypatch.setattr("evaluators.models.gaze_reader.model.read_video", refuse)
    again = run_demo(tmp_path / "demo", "tiny", SETTINGS)
    assert [row.summary for row in again] == [row.summary for row in rows]
