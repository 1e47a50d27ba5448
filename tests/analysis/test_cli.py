"""The commands as a user meets them."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from analysis.cli import mount
from hlvid.errors import RunError


@pytest.fixture
def app() -> typer.Typer:
    roof = typer.Typer()
    mount(roof)
    return roof


def test_list_names_every_figure(app: typer.Typer) -> None:
    from analysis.registry import names

    output = CliRunner().invoke(app, ["figure", "--list"]).output
    assert all(name in output for name in names())


def test_a_figure_of_ones_own_videos(app: typer.Typer, film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["figure", "gaze_examples", "--videos", str(film), "--selector", "random", "--clips", "1"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert (out / "gaze_examples.pdf").read_bytes().startswith(b"%PDF")
    assert "1 videos" in (out / "gaze_examples.txt").read_text()


def test_a_misspelt_name_is_told_before_any_work(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["figure", "latency", "motoin", "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, RunError) and "motoin" in str(result.exception)
    assert not (tmp_path / "out").exists()
