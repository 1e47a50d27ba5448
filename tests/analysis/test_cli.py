"""The commands as a user meets them."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from analysis.cli import mount
from analysis.figure import produce
from analysis.inputs import Inputs
from hlvid.errors import RunError


@pytest.fixture
def app() -> typer.Typer:
    roof = typer.Typer()
    mount(roof)
    return roof


def test_list_names_every_figure(app: typer.Typer) -> None:
    from analysis.figure import names

    output = CliRunner().invoke(app, ["figure", "--list"]).output
    assert all(name in output for name in names())


def test_a_figure_of_ones_own_videos(app: typer.Typer, film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["figure", "gaze_examples", "--videos", str(film), "--selector", "random", "--clips", "1"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert (out / "gaze_examples.pdf").read_bytes().startswith(b"%PDF")
    assert "1 clip (square#0) of 16 frames" in (out / "gaze_examples.txt").read_text()


def test_a_gallery_is_small_and_says_how_it_was_made(app: typer.Typer, tmp_path: Path, film: Path) -> None:
    arguments = [
        "figure",
        "gaze_examples",
        "latency",
        "--videos",
        str(film.parent),
        "--selector",
        "random",
        "--clips",
        "1",
    ]
    result = CliRunner().invoke(
        app, [*arguments, "--out", str(tmp_path / "out"), "--gallery", str(tmp_path / "docs")]
    )
    assert result.exit_code == 0, result.output
    page = (tmp_path / "docs" / "gallery.md").read_text()
    assert f"hlvid figure gaze_examples --clips 1 --videos {film.parent.name}/" in page and "1 clip" in page
    assert str(tmp_path) not in page and str(film.parent) not in page
    for name in ("gaze_examples", "latency"):
        assert 0 < (tmp_path / "docs" / "gallery" / f"{name}.png").stat().st_size < 250_000


def test_a_misspelt_name_is_told_before_any_work(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["figure", "latency", "motoin", "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, RunError) and "motoin" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--records", "--videos", "--images", "--chairs"])
def test_a_path_that_is_not_there_is_told_before_anything_is_written(
    app: typer.Typer, tmp_path: Path, option: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "main_table.md").write_text("made with yesterday's runs")
    arguments = ["figure", "main_table", option, str(tmp_path / "nope"), "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, RunError)
    assert option in str(result.exception) and str(tmp_path / "nope") in str(result.exception)
    assert [path.read_text() for path in out.iterdir()] == ["made with yesterday's runs"]


def test_a_file_is_no_folder_of_records(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("{}")
    arguments = [
        "figure",
        "main_table",
        "--records",
        str(tmp_path / "results.json"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert "give the folder" in str(CliRunner().invoke(app, arguments).exception)


def test_the_default_records_may_be_absent(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["figure", "main_table"])
    assert result.exit_code == 0 and (tmp_path / "figures" / "main_table.md").is_file()


@pytest.mark.parametrize("command", [["figure", "selectors"], ["figure", "main_table"], ["explore", "."]])
def test_an_unknown_selector_is_refused_by_every_figure(
    app: typer.Typer, tmp_path: Path, command: list[str]
) -> None:
    arguments = [*command, "--selector", "nope", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, RunError)
    assert "nope" in str(result.exception) and "detail" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["figure", "motion", "--clips", "0"],
        ["figure", "motion", "--clips", "-1"],
        ["figure", "motion", "--seed", "-1"],
        ["explore", "x.mp4", "--frames", "0"],
        ["explore", "x.mp4", "--resolution", "0"],
    ],
)
def test_a_number_out_of_range_is_a_wrong_use(app: typer.Typer, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and arguments[2] in result.output


@pytest.mark.parametrize(("name", "remedy"), [("question", "--question"), ("codec", "--videos")])
def test_a_selector_that_needs_more_than_clips_tell_is_one_line(name: str, remedy: str) -> None:
    with pytest.raises(RunError, match=rf"{name} looks .* {remedy}; or run: hlvid demo --selector {name}"):
        Inputs(selector=name).looker()


@pytest.mark.parametrize("name", ["redundancy", "ood", "camera", "detail"])
def test_a_figure_that_cannot_tell_more_than_pixels_says_so(name: str, film: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="'codec' needs codec, which these clips do not tell"):
        produce(name, Inputs(selector="codec", videos=(film,), cache=tmp_path), tmp_path / "out")
