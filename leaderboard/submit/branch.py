"""A git branch that adds one submission folder, made without touching the working tree or what is checked out.

The commit is built in a temporary index on top of the remote's default branch (else of HEAD), so that work in
progress is neither committed nor lost.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hlvid.errors import RunError

PLACE = "leaderboard/submissions"


@dataclass(frozen=True)
class Branch:
    """A branch with one commit of its own; `base` is what it stands on, by name; `author` "Ann <ann@example.org>"."""

    name: str
    commit: str
    base: str
    author: str


def results_repository(start: Path) -> Path | None:
    """The git repository around `start`, if it holds submissions."""
    try:
        root = Path(git(start, "rev-parse", "--show-toplevel"))
    except RunError:
        return None
    return root if (root / PLACE).is_dir() else None


def make_branch(repo: Path, folder: Path, target: str, message: str) -> Branch:
    """Commit the files of `folder` as `target` (a path inside the repository) on a branch of its own.

    A branch of that name from an earlier draft is replaced; other files in `target`, such as a README, stay.

    Raises:
        RunError: not a git repository, the branch is checked out, or git knows no author.
    """
    name = f"submission/{target.removeprefix(PLACE + '/')}"
    if git(repo, "rev-parse", "--abbrev-ref", "HEAD") == name:
        raise RunError(f"{repo}: branch {name} is checked out; 'git switch' to another one first")
    base = _base(repo)
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git(repo, "read-tree", base, extra=index)
        for path in sorted(folder.iterdir()):
            blob = git(repo, "hash-object", "-w", "--no-filters", "--", str(path.resolve()))
            git(
                repo,
                "update-index",
                "--add",
                "--cacheinfo",
                f"100644,{blob},{target}/{path.name}",
                extra=index,
            )
        tree = git(repo, "write-tree", extra=index)
    commit = git(repo, "commit-tree", tree, "-p", base, "-m", message)
    git(repo, "update-ref", "-m", "hlvid submit", f"refs/heads/{name}", commit)
    return Branch(name, commit, base, git(repo, "show", "-s", "--format=%an <%ae>", commit))


def push(repo: Path, branch: Branch, title: str, body: Path, remote: str = "origin") -> str:
    """Push the branch and, where `gh` is installed, open the pull request; returns what was printed.

    Raises:
        RunError: git or gh failed; with what they said.
    """
    said = git(repo, "push", "--force-with-lease", "--set-upstream", remote, branch.name)
    if shutil.which("gh") is None:
        return said
    arguments = ("pr", "create", "--head", branch.name, "--title", title, "--body-file", str(body.resolve()))
    return _text(_run(["gh", *arguments], repo)).rstrip("\n")


def push_commands(repo: Path, branch: Branch, title: str, body: Path) -> list[str]:
    """What `push` would run, for the submitter to read and run."""
    lines = [f"git -C {repo} push --set-upstream origin {branch.name}"]
    if shutil.which("gh") is not None:
        lines.append(f'gh pr create --head {branch.name} --title "{title}" --body-file {body}')
    return lines


def git(repo: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> str:
    """Run git in `repo`; its output without the last newline, bytes that are not UTF-8 as \\xff.

    Raises:
        RunError: git is missing or failed; with the first line it said.
    """
    return _text(_run(["git", *arguments], repo, extra)).rstrip("\n")


def blob(repo: Path, name: str) -> bytes:
    """A file's content by its object's name, untouched by filters and attributes."""
    return _run(["git", "cat-file", "blob", name], repo)


def _base(repo: Path) -> str:
    for name in ("refs/remotes/origin/HEAD", "HEAD"):
        try:
            git(repo, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except RunError:
            continue
        return name.removeprefix("refs/remotes/")
    raise RunError(f"{repo}: has no commit to stand on; make one first")


def _run(command: list[str], folder: Path, extra: Mapping[str, str] | None = None) -> bytes:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(extra or {})}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(f"{command[0]}: cannot be run in {folder}: {error}") from error
    if done.returncode != 0:
        said = _text(done.stderr.strip() or done.stdout.strip()) or f"exit code {done.returncode}"
        raise RunError(f"{' '.join(command[:4])} …: {said.splitlines()[0]}")
    return done.stdout


def _text(output: bytes) -> str:
    return output.decode("utf-8", "backslashreplace")
