"""What the results repository runs on a pull request: check and score the submissions that it changes.

Example::

    python -m leaderboard.ci --base origin/main --summary summary.md

Exit codes: 0, every changed submission is sound, or none changed; 1, one is not, or is somebody else's; 2, the
check itself could not run (no such base, no git, an answer key that this machine lacks).

Whose a folder is: of everybody who authored a commit to it up to the base. Only they (and `--maintainer`s) may
change or remove it; a new folder is anybody's. Who a change is by: the authors of the commits since the base, or
`--author`, which a forge that knows the account passes, since author lines can be forged.

Run it from the base's own checkout of the code with `--repo` on the pull request's, so that a pull request
cannot change its own judge.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hlvid.errors import HlvidError
from leaderboard.benchmarks import Keys
from leaderboard.board import Entry, entry_of
from leaderboard.format.faults import Fault
from leaderboard.format.validate import check_folder
from leaderboard.submit.branch import PLACE, git
from leaderboard.submit.markdown import escape, table
from leaderboard.submit.packing import percent

SHOWN = 20  # faults of one folder in the summary
Change = tuple[str, ...]  # the parts of a path below PLACE


@dataclass(frozen=True)
class Verdict:
    """One changed folder: scored, removed (neither entry nor faults), or refused."""

    path: str
    entry: Entry | None
    faults: tuple[Fault, ...]
    key_missing: bool = False


def check(
    repo: Path,
    base: str,
    author: str | None = None,
    maintainers: Iterable[str] = (),
    keys: Keys | None = None,
) -> list[Verdict]:
    """A verdict for each submission folder that HEAD changes since it left `base`.

    Raises:
        RunError: git cannot find the base.
    """
    fork = git(repo, "merge-base", base, "HEAD")
    by = {author.casefold()} if author else _authors(repo, f"{fork}..HEAD")
    keys = keys or Keys()
    folders = {change[:2] for change in _changes(repo, fork)}
    return [_verdict(repo, fork, folder, by - _lower(maintainers), keys) for folder in sorted(folders)]


def summary(verdicts: Sequence[Verdict]) -> str:
    """The result in Markdown; everything that a submitter wrote is escaped."""
    if not verdicts:
        return "No submission was changed.\n"
    scored = [verdict for verdict in verdicts if verdict.entry is not None]
    parts = [f"{len(verdicts)} submission(s) changed, {sum(bool(one.faults) for one in verdicts)} refused."]
    if scored:
        parts.append(table(("submission", "model", "trust", "accuracy", "95 % interval"), map(_row, scored)))
    for verdict in verdicts:
        if verdict.faults:
            lines = [f"- {escape(fault)}" for fault in verdict.faults[:SHOWN]]
            more = len(verdict.faults) - SHOWN
            parts.append("\n".join([f"**{escape(verdict.path)}** is refused:", "", *lines]))
            parts += [f"and {more} more."] if more > 0 else []
        elif verdict.entry is None:
            parts.append(f"**{escape(verdict.path)}** is removed.")
        elif verdict.entry.warnings:
            parts.append(
                f"{escape(verdict.path)}: {len(verdict.entry.warnings)} warning(s), {escape(verdict.entry.warnings[0])}"
            )
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see the module for its exit codes."""
    parser = argparse.ArgumentParser(
        prog="python -m leaderboard.ci", description="Check changed submissions."
    )
    parser.add_argument("--base", required=True, help="what the pull request goes into, e.g. origin/main")
    parser.add_argument("--repo", type=Path, default=Path(), help="the pull request's checkout")
    parser.add_argument("--summary", type=Path, help="Markdown file to write, e.g. $GITHUB_STEP_SUMMARY")
    parser.add_argument("--author", help="verified e-mail of who opened it, in place of the commits' authors")
    parser.add_argument("--maintainer", action="append", default=[], help="e-mail that may change any folder")
    options = parser.parse_args(arguments)
    try:
        verdicts = check(options.repo, options.base, options.author, options.maintainer)
    except HlvidError as error:
        print(f"leaderboard.ci: {error}", file=sys.stderr)
        return 2
    text = summary(verdicts)
    print(text, end="")
    if options.summary is not None:
        options.summary.write_text(text, encoding="utf-8")
    if any(verdict.key_missing for verdict in verdicts):
        return 2
    return 1 if any(verdict.faults for verdict in verdicts) else 0


def _verdict(repo: Path, fork: str, parts: Change, by: set[str], keys: Keys) -> Verdict:
    path = "/".join(parts)
    folder = repo / PLACE / path
    faults = _ownership_faults(repo, fork, path, by)
    if len(parts) < 2 or (folder.is_file() and not folder.is_symlink()):
        problem = "a pull request adds only folders BENCHMARK/NAME here"
        return Verdict(path, None, (*faults, Fault(path[:100], None, "(file)", problem, "remove the file")))
    if not folder.exists() and not folder.is_symlink():
        return Verdict(path, None, tuple(faults))
    report = check_folder(folder, keys, placed=True)
    found = (*faults, *report.faults)
    return Verdict(path, None if found else entry_of(report), found, report.key_missing)


def _ownership_faults(repo: Path, fork: str, path: str, by: set[str]) -> list[Fault]:
    owners = _authors(repo, fork, f"{PLACE}/{path}")
    strangers = sorted(by - owners)
    if not owners or not strangers:
        return []
    problem = f"is another submitter's folder, changed by {', '.join(strangers)[:200]}"
    return [Fault(path[:100], None, "(folder)", problem, "submit under a folder name of your own")]


def _changes(repo: Path, fork: str) -> set[Change]:
    """Paths below the submissions that differ, renames as a removal and an addition."""
    listing = git(repo, "diff", "--no-renames", "--name-only", "-z", fork, "HEAD", "--", PLACE)
    prefix = len(Path(PLACE).parts)
    return {tuple(name.split("/")[prefix:]) for name in listing.split("\0") if name}


def _authors(repo: Path, *which: str) -> set[str]:
    """E-mail addresses of the authors of commits: a range or revision, then paths."""
    revisions, paths = which[:1], which[1:]
    return _lower(git(repo, "log", "--no-merges", "--format=%ae", *revisions, "--", *paths).splitlines())


def _lower(texts: Iterable[str]) -> set[str]:
    return {text.strip().casefold() for text in texts if text.strip()}


def _row(verdict: Verdict) -> tuple[object, ...]:
    entry = verdict.entry
    assert entry is not None
    interval = entry.interval
    ends = "not known" if interval is None else f"{percent(interval.low)} to {percent(interval.high)}"
    return (verdict.path, entry.submission.model.name, entry.trust, percent(entry.accuracy), ends)


if __name__ == "__main__":
    sys.exit(main())
