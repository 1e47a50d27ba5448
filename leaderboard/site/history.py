"""When each submission was first committed: git is the database, so git knows."""

import os
from datetime import UTC, datetime
from pathlib import Path

from hlvid.errors import RunError
from leaderboard.submit.branch import git


def recorded(root: Path) -> dict[str, datetime]:
    """First commit's time by "BENCHMARK/NAME"; empty in no git clone, in a shallow one, or without git."""
    flags = ("--reverse", "--diff-filter=A", "--relative", "--no-renames", "--format=%x00%ct", "--name-only")
    try:
        if git(root, "rev-parse", "--is-shallow-repository") == "true":
            return {}  # its one commit would date every entry
        log = git(root, "log", *flags, "--", "*/submission.*")  # .toml; up to 0.1 .yaml
    except RunError:
        return {}
    found: dict[str, datetime] = {}
    for commit in log.split("\0")[1:]:
        seconds, *paths = commit.split("\n")
        for path in filter(None, paths):
            found.setdefault(path.rpartition("/")[0], _moment(int(seconds)))
    return found


def build_time() -> datetime:
    """Now, or $SOURCE_DATE_EPOCH, with which two builds of one state are the same to the byte."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    return _moment(int(stated)) if stated.isdecimal() else datetime.now(UTC).replace(microsecond=0)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
