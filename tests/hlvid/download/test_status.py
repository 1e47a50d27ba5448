"""Run with: pytest tests/hlvid/sources/test_status.py. What is here and what is not, through the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hlvid.benchmarks import locate, registry
from hlvid.download import cli as data_cli
from hlvid.download.fetch import get
from hlvid.download.status import status
from hlvid.errors import DatasetError

Make = Callable[[str], Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """run("data", "status", …): exit code and output of the command."""
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    data_cli.mount(app)
    app.command("other")(lambda: None)  # a second command, so that "data" keeps its name
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_nothing_is_here(make_hub: Make, run: Callable[..., Any]) -> None:
    make_hub("egoschema")
    done = run("data", "status")
    assert done.exit_code == 0
    assert "hlvid_videomme_w_subtitle" in done.output
    assert "101 GB  not here" in done.output
    assert "hlvid data prepare TASK" in done.output
    assert "accept its terms on the hub first" in done.output  # LongVideoBench
    assert run("data", "status", "egoschema").exit_code == 1


def test_prepare_then_ready(make_hub: Make, run: Callable[..., Any]) -> None:
    hub = make_hub("egoschema")
    done = run("data", "prepare", "hlvid_egoschema_subset", "--from", str(hub.folder))
    assert done.exit_code == 0, done.output
    assert "1 of 1 videos are here; 2 files" in done.output
    done = run("data", "status", "egoschema")
    assert done.exit_code == 1  # the hidden test has no questions here yet
    assert run("data", "status", "hlvid_egoschema_subset").exit_code == 0
    assert run("data", "prepare", "egoschema", "--from", str(hub.folder)).exit_code == 0
    assert run("data", "status", "egoschema").exit_code == 0


def test_missing_and_broken_videos_are_listed(make_hub: Make, run: Callable[..., Any]) -> None:
    hub = make_hub("egoschema")
    run("data", "prepare", "egoschema", "--from", str(hub.folder))
    (locate.home(registry.get("egoschema")) / "videos" / "uid2.mp4").unlink()
    (one, subset) = status("egoschema")
    assert (one.questions, one.videos, one.here, one.missing) == (3, 3, 2, ("videos/uid2.mp4",))
    assert one.bytes_here == 60_000 + 60_001
    assert subset.ready
    done = run("data", "status", "egoschema", "--deep")  # noise is no video
    assert "hlvid_egoschema: missing: videos/uid2.mp4" in done.output
    assert "uid0.mp4 does not decode" in done.output
    assert done.exit_code == 1


def test_a_wrong_column_is_told(make_hub: Make, run: Callable[..., Any], tmp_path: Path) -> None:
    hub = make_hub("egoschema")
    run("data", "prepare", "hlvid_egoschema_subset", "--from", str(hub.folder))
    import pyarrow
    import pyarrow.parquet

    (table,) = locate.tables(registry.get("egoschema"), "hlvid_egoschema_subset")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"video": "x"}]), table)
    done = run("data", "status", "hlvid_egoschema_subset")
    assert done.exit_code == 1
    assert "test-00000-of-00001.parquet" in done.output


def test_a_video_that_no_archive_holds_fails_the_command(make_hub: Make, run: Callable[..., Any]) -> None:
    hub = make_hub("egoschema")
    hub.zip("videos_chunked_01.zip", {"videos/uid0.mp4": b"x"})
    done = run("data", "prepare", "egoschema", "--from", str(hub.folder))
    assert done.exit_code == 1
    assert "not in the repository: videos/uid1.mp4, videos/uid2.mp4" in done.output


def test_unknown_names(make_hub: Make) -> None:
    with pytest.raises(DatasetError, match="allowed: hlvid, videomme"):
        status("nonsense")
    with pytest.raises(DatasetError, match="made on this machine: hlvid mini"):
        status("hlvid_mini")


def test_hlvid_is_one_of_them(make_standin: Make, make_hub: Make) -> None:
    (empty,) = status("hlvid")
    assert (empty.questions, empty.state()) == (0, "not here")
    get("hlvid", source=make_standin().folder, videos=["clip_av_video_1_000.mp4"], progress=False)
    (part,) = status("hlvid")
    assert (part.questions, part.here, part.videos) == (6, 1, 6)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"HF_HOME": "hf"}, "hf/hub"),
        ({"HF_HOME": "hf", "HF_HUB_CACHE": "cache"}, "cache"),
    ],
)
def test_the_hubs_cache_is_the_last_place(
    variables: dict[str, str], place: str, make_hub: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    benchmark = registry.get("egoschema")
    snapshot = tmp_path / place / "datasets--lmms-lab--egoschema" / "snapshots" / "abc"
    (snapshot.parents[1] / "refs").mkdir(parents=True)
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    (snapshot / "videos").mkdir(parents=True)
    (snapshot / "videos" / "u.mp4").write_bytes(b"snapshot")
    assert locate.find(benchmark, ["videos/u.mp4"]) == snapshot / "videos" / "u.mp4"
    for better in (tmp_path / "hf" / "egoschema", tmp_path / "data" / "egoschema"):
        (better / "videos").mkdir(parents=True)
        (better / "videos" / "u.mp4").write_bytes(b"better")
        assert locate.find(benchmark, ["videos/u.mp4"]) == better / "videos" / "u.mp4"
