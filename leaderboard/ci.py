"""What the results repository runs on a pull request: check and score the submissions that it changes.

Example::

    python -m leaderboard.ci --base origin/main --author "$LOGIN" --repo ../pull-request --summary summary.md

Exit codes: 0, every changed submission is sound, or none changed; 1, one is not, is somebody else's, or something
besides submissions is changed; 2, the check itself could not run (no such base, a shallow clone, an answer key that
this machine lacks).

Who asks is a login that the forge vouches for, never an author line. A new folder is anybody's; one that the base has
is changed by its owners and by maintainers, whom the base's `maintainers.toml` names. Everything between the fork and
HEAD counts, merges included. Run it from the base's own checkout of the code, as `.github/workflows/submission.yml`
does, so that a pull request cannot change its own judge.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hlvid.errors import HlvidError, RunError
from leaderboard.benchmarks import Keys
from leaderboard.board import Entry, entry_of
from leaderboard.format.faults import Fault
from leaderboard.format.validate import check_folder
from leaderboard.maintainers import FILE, Maintainers, read
from leaderboard.scores import percent
from leaderboard.submit.branch import PLACE, git
from leaderboard.submit.markdown import escape, table

SHOWN = 20  # faults of one folder in the summary


@dataclass(frozen=True)
class Verdict:
    """One changed folder: scored, removed (neither entry nor faults), or refused; or a file outside the submissions."""

    path: str
    entry: Entry | None
    faults: tuple[Fault, ...]
    key_missing: bool = False
    new: bool = False


def check(
    repo: Path, base: str, author: str, maintainer: bool = False, keys: Keys | None = None
) -> list[Verdict]:
    """A verdict for each submission folder, and each other file, that HEAD changes since it left `base`.

    Args:
        author: login of who opened the pull request.
        maintainer: as if the author were one.

    Raises:
        RunError: git cannot find the base, or the clone is shallow.
    """
    repo = repo.resolve()
    if git(repo, "rev-parse", "--is-shallow-repository") == "true":
        raise RunError(f"{repo}: is a shallow clone; fetch the whole history (fetch-depth: 0)")
    fork, known = git(repo, "merge-base", base, "HEAD"), _maintainers(repo, base)
    maintainer = maintainer or author.casefold() in known.maintainers
    changed = git(repo, "diff", "--no-renames", "--name-only", "-z", fork, "HEAD").split("\0")
    inside = {tuple(name.split("/")[2:4]) for name in changed if name.startswith(f"{PLACE}/")}
    outside = [name for name in changed if name and not name.startswith(f"{PLACE}/")]
    verdicts = [_outside(name) for name in sorted(outside) if not maintainer]
    for parts in sorted(inside):
        path = "/".join(parts)
        new = not git(repo, "ls-tree", "--name-only", base, "--", f"{PLACE}/{path}")
        allowed = new or maintainer or known.may_change(author, path)
        verdicts.append(_verdict(repo, parts, [] if allowed else [_owned(path, author)], new, keys or Keys()))
    return verdicts


def summary(verdicts: Sequence[Verdict], author: str) -> str:
    """The result in Markdown; everything that a submitter wrote is escaped."""
    if not verdicts:
        return "No submission was changed.\n"
    scored = [verdict for verdict in verdicts if verdict.entry is not None]
    parts = [
        f"{len(verdicts)} submission(s) or files changed, {sum(bool(one.faults) for one in verdicts)} refused."
    ]
    if scored:
        parts.append(table(("submission", "model", "trust", "accuracy", "95 % interval"), map(_row, scored)))
    parts += [text for verdict in verdicts if (text := _told(verdict))]
    if owned := [escape(f'"{verdict.path}" = ["{author}"]') for verdict in scored if verdict.new]:
        parts.append(f"Who merges this adds to [owners] in {FILE}: {'; '.join(owned)}")
    return "\n\n".join(parts) + "\n"


def main(
    base: Annotated[str, typer.Option(help="What the pull request goes into, e.g. origin/main.")],
    author: Annotated[str, typer.Option(help="Login of who opened it, as the forge states it.")],
    repo: Annotated[Path, typer.Option(help="The pull request's checkout.")] = Path(),
    summary_file: Annotated[
        Path | None, typer.Option("--summary", help="Markdown file to write, e.g. $GITHUB_STEP_SUMMARY.")
    ] = None,
    maintainer: Annotated[
        bool, typer.Option("--maintainer", help="Allow changes of any folder and outside the submissions.")
    ] = False,
) -> None:
    """Check the submissions that a pull request changes: 1 says what must not be merged, 2 that it could not."""
    try:
        verdicts = check(repo, base, author, maintainer)
    except HlvidError as error:
        print(f"leaderboard.ci: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    text = summary(verdicts, author)
    print(text, end="")
    if summary_file is not None:
        summary_file.write_text(text, encoding="utf-8")
    # A folder that cannot be scored here is told by 2, unless something is certainly wrong.
    if any(verdict.faults and not verdict.key_missing for verdict in verdicts):
        raise typer.Exit(1)
    if any(verdict.key_missing for verdict in verdicts):
        raise typer.Exit(2)


def _maintainers(repo: Path, base: str) -> Maintainers:
    """The base's file: the pull request's own would be its own judge."""
    if not git(repo, "ls-tree", "--name-only", base, "--", FILE):
        return Maintainers()
    return read(git(repo, "show", f"{base}:{FILE}"))


def _verdict(repo: Path, parts: tuple[str, ...], faults: list[Fault], new: bool, keys: Keys) -> Verdict:
    path = "/".join(parts)
    folder = repo / PLACE / path
    if len(parts) < 2 or (folder.is_file() and not folder.is_symlink()):
        problem = "a pull request adds only folders BENCHMARK/NAME here"
        return Verdict(path, None, (*faults, Fault(path[:100], None, "(file)", problem, "remove the file")))
    if not folder.exists() and not folder.is_symlink():
        return Verdict(path, None, tuple(faults))
    if folder.parent.resolve() != folder.parent:
        fault = Fault(path[:100], None, "(folder)", "lies behind a link", "use plain folders")
        return Verdict(path, None, (*faults, fault))
    report = check_folder(folder, keys, placed=True)
    found = (*faults, *report.faults)
    return Verdict(path, None if found else entry_of(report), found, report.key_missing and not faults, new)


def _outside(name: str) -> Verdict:
    problem = f"lies outside {PLACE}/, where a submission has no business"
    remedy = "take it out, or open another pull request for it"
    return Verdict(name, None, (Fault(name[:200], None, "(file)", problem, remedy),))


def _owned(path: str, author: str) -> Fault:
    problem = f"is on the board already and not {author[:60]}'s"
    remedy = f"submit under a folder name of your own, or ask a maintainer to name you in {FILE}"
    return Fault(path[:100], None, "(folder)", problem, remedy)


def _told(verdict: Verdict) -> str | None:
    """What is to be said of one folder beside its score."""
    path = escape(verdict.path)
    if verdict.faults:
        lines = [f"- {escape(fault)}" for fault in verdict.faults[:SHOWN]]
        more = len(verdict.faults) - SHOWN
        lines += [f"\nand {more} more."] if more > 0 else []
        return "\n".join([f"**{path}** is refused:", "", *lines])
    if verdict.entry is None:
        return f"**{path}** is removed."
    warnings = verdict.entry.warnings
    return f"{path}: {len(warnings)} warning(s), {escape(warnings[0])}" if warnings else None


def _row(verdict: Verdict) -> tuple[object, ...]:
    entry = verdict.entry
    assert entry is not None
    interval = entry.interval
    ends = "not known" if interval is None else f"{percent(interval.low)} to {percent(interval.high)}"
    return (verdict.path, entry.submission.model.name, entry.trust, percent(entry.accuracy), ends)


if __name__ == "__main__":
    typer.run(main)
