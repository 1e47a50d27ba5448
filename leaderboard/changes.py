"""What a pull request changes, read from git's objects alone: no checkout, filter, attribute or link has a say."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from leaderboard.benchmarks import TITLES
from leaderboard.format.faults import Fault
from leaderboard.format.reading import JSONL_BYTES
from leaderboard.format.validate import ALLOWED, FOLDER_NAME, FOLDER_RULE, stranger_remedy
from leaderboard.submit.branch import PLACE, git

PLAIN = "100644"
KINDS = {"100755": "executable", "120000": "a symbolic link", "160000": "a submodule"}


class File(NamedTuple):
    """A file as git has it; `size` in bytes, None for a submodule."""

    mode: str
    blob: str
    size: int | None


def changed(repo: Path, fork: str) -> list[str]:
    """Paths that differ between the fork and HEAD, both sides of a renaming, submodules too whatever they ask for."""
    flags = ("--no-renames", "--ignore-submodules=none", "--name-only", "-z")
    return sorted(filter(None, git(repo, "diff", *flags, fork, "HEAD").split("\0")))


def tree(repo: Path, commit: str) -> dict[str, dict[str, File]]:
    """Files of the submissions by "BENCHMARK/NAME" and what follows; what lies higher is a folder with one file ""."""
    found: dict[str, dict[str, File]] = {}
    for line in git(repo, "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", PLACE).split("\0"):
        if line:
            about, _, name = line.partition("\t")
            mode, _, blob_name, size = about.split()
            parts = name.removeprefix(f"{PLACE}/").split("/", 2)
            place, inner = "/".join(parts[:2]), parts[2] if len(parts) > 2 else ""
            found.setdefault(place, {})[inner] = File(mode, blob_name, None if size == "-" else int(size))
    return found


def large(repo: Path, base: str) -> list[tuple[str, str]]:
    """Files above the limit in any commit of the pull request, also those that a later one removed: (object, path)."""
    flags = ("--objects", f"--filter=blob:limit={JSONL_BYTES + 1}", "--filter-print-omitted")
    lines = git(repo, "rev-list", *flags, "HEAD", f"^{base}").splitlines()
    names = [line[1:].partition(" ")[0] for line in lines if line.startswith("~")]
    return [(name, git(repo, "log", "-1", "--format=%h", f"--find-object={name}", "HEAD")) for name in names]


def odd(path: str, files: Mapping[str, File]) -> list[Fault]:
    """What keeps a folder from being read at all: its place, its name, and files that are no plain ones."""
    return _placed(path, files) + [
        one for inner, file in files.items() if inner and (one := _odd(inner, file))
    ]


def _placed(path: str, files: Mapping[str, File]) -> list[Fault]:
    """Whether it is a folder BENCHMARK/NAME at all."""
    benchmark, _, name = path.partition("/")
    if "" in files:
        kind = KINDS.get(files[""].mode, "a file")
        return [fault(path, f"is {kind}; a pull request adds only folders BENCHMARK/NAME here", "remove it")]
    if benchmark not in TITLES:
        return [fault(path, "lies under no benchmark's name", f"use one of {', '.join(TITLES)}, spelt so")]
    return [] if FOLDER_NAME.fullmatch(name) else [fault(path, "has a name that is not allowed", FOLDER_RULE)]


def _odd(inner: str, file: File) -> Fault | None:
    """What is not a plain file of a submission, as git has it."""
    if file.mode != PLAIN:
        return fault(inner, f"is {KINDS.get(file.mode, 'no plain file')}", "add plain files alone (mode 644)")
    if inner not in ALLOWED:
        return fault(inner, "does not belong here", stranger_remedy(inner))
    if (file.size or 0) > JSONL_BYTES:
        return fault(inner, f"has more than {JSONL_BYTES:,} bytes", "shorten it")
    return None


def fault(name: str, problem: str, remedy: str) -> Fault:
    """Of a file or folder as a whole."""
    return Fault(name[:100], None, "(file)", problem, remedy)
