"""When each submission was first committed: git is the database, so git knows."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def recorded(root: Path) -> dict[str, datetime]:
    """First commit's time by "BENCHMARK/NAME"; empty in no git clone, in a shallow one, or without git."""
    if _shallow(root):
        return {}  # its one commit would date every entry
    command = ["git", "-C", str(root), "log", "--reverse", "--diff-filter=A", "--relative", "--no-renames"]
    command += ["--format=%x00%ct", "--name-only", "--", "*/submission.*"]  # .toml; up to 0.1 .yaml
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[str, datetime] = {}
    for commit in done.stdout.split("\0")[1:]:
        seconds, *paths = commit.split("\n")
        for path in paths:
            if path:
                found.setdefault(path.rpartition("/")[0], _moment(int(seconds)))
    return found


def _shallow(root: Path) -> bool:
    command = ["git", "-C", str(root), "rev-parse", "--is-shallow-repository"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip() == "true"
    except (OSError, subprocess.SubprocessError):
        return False


def build_time() -> datetime:
    """Now, or $SOURCE_DATE_EPOCH, with which two builds of one state are the same to the byte."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    return _moment(int(stated)) if stated.isdecimal() else datetime.now(UTC).replace(microsecond=0)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
