"""`hlvid audit` and `hlvid recipes` as a user types them."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from evaluators.cli import mount
from evaluators.runs import recipes

RUNNER = CliRunner()


@pytest.fixture
def app() -> typer.Typer:
    """The roof with these commands alone."""
    made = typer.Typer()
    mount(made)
    return made


def _row(verdict: str) -> dict[str, Any]:
    box = {"frames": 64, "height": 1008, "width": 1792}
    asked = {"frames": 64, "resolution": 1792, "fps": None}
    return {"asked": asked, "decoded": box, "seen": {**box, "by": "x"}, "verdict": verdict}


@pytest.mark.parametrize(("verdict", "code"), [("exact", 0), ("1792 x 1008 px became 1008 x 560", 1)])
def test_audit_counts_questions_and_fails_on_differences(
    verdict: str, code: int, app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = [json.dumps({"details": {"audit": _row("exact")}})] * 3
    lines.append(json.dumps({"details": {"audit": _row(verdict)}}))
    (tmp_path / "samples.jsonl").write_text("\n".join(lines), "utf-8")
    result = RUNNER.invoke(app, ["audit", str(tmp_path)])
    assert result.exit_code == code
    assert "64 x 1792 x 1008" in result.output
    assert verdict in result.output
    assert f" {len(lines) - code} " in result.output


def test_recipes_lists_all_and_shows_one(app: typer.Typer) -> None:
    listed = RUNNER.invoke(app, ["recipes"]).output
    assert all(name in listed for name in recipes.names())
    one = RUNNER.invoke(app, ["recipes", "apollo_7b"]).output
    assert "withdrew" in one
    assert "hlvid eval" not in one
    assert "hlvid eval --recipe qwen2_5_vl_7b" in RUNNER.invoke(app, ["recipes", "qwen2_5_vl_7b"]).output
