"""Branches are made beside the working tree; pushing is asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hlvid.errors import RunError
from leaderboard.submit import branch as git_branch
from leaderboard.submit.branch import make_branch, push, push_commands, results_repository

Git = Callable[..., str]
TARGET = "leaderboard/submissions/hlvid/mine"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    (path / "submission.toml").write_bytes(b"a = 1\r\n")
    (path / "predictions.jsonl").write_text("{}\n")
    return path


def test_work_in_progress_is_left_alone(tmp_path: Path, git_repo: Git, folder: Path) -> None:
    repo = tmp_path / "repo"
    (repo / "staged.txt").write_text("1")
    git_repo("add", "staged.txt")
    (repo / "untracked.txt").write_text("2")
    before = git_repo("status", "--porcelain")
    branch = make_branch(repo, folder, TARGET, "Submit mine")
    assert branch.name == "submission/hlvid/mine"
    assert git_repo("status", "--porcelain") == before
    changed = git_repo("diff", "--name-only", "main", branch.name).splitlines()
    assert changed == [f"{TARGET}/predictions.jsonl", f"{TARGET}/submission.toml"]
    assert git_repo("cat-file", "-s", f"{branch.name}:{TARGET}/submission.toml") == "7"  # CRLF as it was


def test_a_second_draft_replaces_the_first(tmp_path: Path, git_repo: Git, folder: Path) -> None:
    repo = tmp_path / "repo"
    make_branch(repo, folder, TARGET, "first")
    (folder / "README.md").write_text("new")
    (folder / "predictions.jsonl").unlink()
    branch = make_branch(repo, folder, TARGET, "second")
    files = git_repo("ls-tree", "-r", "--name-only", branch.name, TARGET).splitlines()
    assert files == [f"{TARGET}/README.md", f"{TARGET}/submission.toml"]
    assert git_repo("rev-list", "--count", f"main..{branch.name}") == "1"


def test_the_readme_on_the_board_survives_a_new_run(tmp_path: Path, git_repo: Git, folder: Path) -> None:
    readme = tmp_path / "repo" / TARGET / "README.md"
    readme.parent.mkdir(parents=True)
    readme.write_text("How we ran it.")
    git_repo("add", ".")
    git_repo("commit", "-q", "-m", "merged")
    branch = make_branch(tmp_path / "repo", folder, TARGET, "again")
    assert git_repo("show", f"{branch.name}:{TARGET}/README.md") == "How we ran it."
    changed = git_repo("diff", "--name-only", "main", branch.name).splitlines()
    assert changed == [f"{TARGET}/predictions.jsonl", f"{TARGET}/submission.toml"]


def test_the_branch_that_is_checked_out_is_not_moved(tmp_path: Path, git_repo: Git, folder: Path) -> None:
    git_repo("switch", "-q", "-c", "submission/hlvid/mine")
    with pytest.raises(RunError, match="is checked out"):
        make_branch(tmp_path / "repo", folder, TARGET, "x")


def test_git_errors_are_one_line(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(RunError) as caught:
        make_branch(tmp_path, folder, TARGET, "x")
    assert "\n" not in str(caught.value)


def test_only_clones_with_submissions_count(tmp_path: Path, git_repo: Git) -> None:
    inner = tmp_path / "repo" / "leaderboard"
    assert results_repository(inner) == (tmp_path / "repo").resolve()
    assert results_repository(tmp_path) is None
    (inner / "submissions" / ".keep").unlink()
    (inner / "submissions").rmdir()
    assert results_repository(inner) is None


def test_push_when_asked(
    tmp_path: Path, git_repo: Git, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, remote = tmp_path / "repo", tmp_path / "remote.git"
    git_repo("init", "-q", "--bare", str(remote))
    git_repo("remote", "add", "origin", str(remote))
    monkeypatch.setattr(
        git_branch.shutil, "which", lambda name: None
    )  # no gh, so that nothing but git is tried
    branch = make_branch(repo, folder, TARGET, "x")
    assert git_repo("ls-remote", "origin") == ""
    assert push_commands(repo, branch, "title", tmp_path / "body.md") == [
        f"git -C {repo} push --set-upstream origin submission/hlvid/mine"
    ]
    push(repo, branch, "title", tmp_path / "body.md")
    assert branch.commit in git_repo("ls-remote", "origin")


def test_gh_opens_the_pull_request(
    tmp_path: Path, git_repo: Git, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, tools, remote = tmp_path / "repo", tmp_path / "bin", tmp_path / "remote.git"
    git_repo("init", "-q", "--bare", str(remote))
    git_repo("remote", "add", "origin", str(remote))
    tools.mkdir()
    (tools / "gh").write_text('#!/bin/sh\nfor a in "$@"; do echo "[$a]"; done\n')
    (tools / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    branch = make_branch(repo, folder, TARGET, "x")
    said = push(repo, branch, "A title; $(id)", tmp_path / "body.md")
    assert "[--head]\n[submission/hlvid/mine]\n[--title]\n[A title; $(id)]" in said
