"""`hlvid board`: a folder that is not there, or holds no submission, never becomes an empty board."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hlvid.errors import RunError
from leaderboard.board_cli import mount

Make = Callable[..., Path]


def invoke(*arguments: str) -> Any:
    app = typer.Typer()
    mount(app)
    return CliRunner().invoke(app, ["board", *arguments])


@pytest.mark.parametrize("command", ["build", "serve"])
@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("", "no such folder"),
        ("file", "is a file"),
        ("empty/", "expected is BENCHMARK/NAME/submission.toml"),
        ("hlvid/", "expected is BENCHMARK/NAME/submission.toml"),
        ("hlvd/my-model/", "BENCHMARK one of hlvid, hlvid_mini"),
        ("hlvid/submission.toml", "expected is BENCHMARK/NAME/submission.toml"),
    ],
)
def test_no_empty_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, made: str, message: str
) -> None:
    monkeypatch.setattr("leaderboard.site.server.run", lambda *_: pytest.fail("served"))
    root, out = tmp_path / "there", tmp_path / "site"
    if made == "file":
        root.touch()
    elif made.endswith("/"):
        (root / made).mkdir(parents=True)
    elif made:
        (root / made).parent.mkdir(parents=True)
        (root / made).touch()
    extra = ["--out", str(out)] if command == "build" else []
    result = invoke(command, "--submissions", str(root), *extra)
    assert isinstance(result.exception, RunError) and result.exit_code == 1
    assert str(root) in str(result.exception) and message in str(result.exception)
    assert not out.exists()


def test_a_folder_with_a_submission_is_built(make_folder: Make, tmp_path: Path) -> None:
    toml = """benchmark = "hlvid"
model = {name = "m", openness = "closed"}
reported = {accuracy_percent = 50, source = "a paper"}
"""
    root = make_folder(None, toml).parents[1]
    result = invoke("build", "--submissions", str(root), "--out", str(tmp_path / "site"))
    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 entries")
