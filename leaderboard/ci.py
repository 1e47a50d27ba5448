"""What the results repository runs on a pull request: check and score the submissions that it changes.

Exit codes: 0, every changed submission is sound, or none changed; 1, one is not, is somebody else's, or something
besides submissions is changed; 2, the check itself could not run (no such base, a shallow clone, an answer key that
this machine lacks).

Who asks is a login that the forge vouches for, never an author line. A new folder is anybody's; one that the base has
is changed by its owners and by maintainers, whom the base's `maintainers.toml` names. Everything between the fork and
HEAD counts, merges included. Run it from the base's own checkout of the code, as `.github/workflows/submission.yml`
does, so that a pull request cannot change its own judge.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hlvid.errors import HlvidError, RunError
from leaderboard.benchmarks import TITLES, Keys, fetched_as
from leaderboard.board import Entry, entry_of
from leaderboard.changes import File, changed, fault, large, odd, tree
from leaderboard.format.faults import Fault
from leaderboard.format.reading import JSONL_BYTES
from leaderboard.format.validate import check_folder
from leaderboard.maintainers import FILE, Maintainers, read
from leaderboard.scores import percent
from leaderboard.submit.branch import PLACE, blob, git
from leaderboard.submit.markdown import escape, table

SHOWN, SHOWN_FOLDERS = 20, 200  # faults of one folder in the summary, and folders


@dataclass(frozen=True)
class Verdict:
    """One changed folder: scored, removed (neither entry nor faults), or refused; or a file outside the submissions."""

    path: str
    entry: Entry | None
    faults: tuple[Fault, ...]
    key_missing: bool = False
    new: bool = False


def check(
    repo: Path,
    base: str,
    author: str,
    maintainer: bool = False,
    keys: Keys | None = None,
    fetch: bool = False,
) -> list[Verdict]:
    """A verdict for each submission folder, and each other file, that HEAD changes since it left `base`.

    Args:
        author: login of who opened the pull request.
        maintainer: as if the author were one.
        fetch: bring the question files of the benchmarks that are changed first, where they are not here.

    Raises:
        RunError: git cannot find the base, or the clone is shallow.
    """
    repo = repo.resolve()
    if git(repo, "rev-parse", "--is-shallow-repository") == "true":
        raise RunError(f"{repo}: is a shallow clone; fetch the whole history (fetch-depth: 0)")
    fork, known = git(repo, "merge-base", base, "HEAD"), _maintainers(repo, base)
    maintainer = maintainer or author.casefold() in known.maintainers
    before, after = tree(repo, base), tree(repo, "HEAD")
    inside: set[str] = set()
    verdicts = [_too_large(*one) for one in large(repo, base)]
    for name in changed(repo, fork):
        if name.startswith(f"{PLACE}/"):
            inside.add("/".join(name.split("/")[2:4]))
        elif not maintainer:
            verdicts.append(_outside(name))
    if fetch:
        _fetch({path.partition("/")[0] for path in inside if path in after})
    keys = keys or Keys()
    for path in sorted(inside):
        new = path not in before
        allowed = new or maintainer or known.may_change(author, path)
        faults = [] if allowed else [_owned(path, author, known)]
        verdicts.append(_verdict(repo, path, after.get(path, {}), faults, new, keys))
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
    told = [text for verdict in verdicts if (text := _told(verdict))]
    parts += told[:SHOWN_FOLDERS] + (
        [f"and {len(told) - SHOWN_FOLDERS} more."] if len(told) > SHOWN_FOLDERS else []
    )
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
    fetch: Annotated[
        bool, typer.Option("--fetch", help="First fetch the question files that scoring needs; no video.")
    ] = False,
) -> None:
    """Check the submissions that a pull request changes: 1 says what must not be merged, 2 that it could not."""
    try:
        verdicts = check(repo, base, author, maintainer, fetch=fetch)
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


def _too_large(name: str, commit: str) -> Verdict:
    problem = (
        f"is of more than {JSONL_BYTES:,} bytes, in commit {commit or '(a merge)'}, and stays in the history"
    )
    remedy = "make the branch anew without it"
    return Verdict(name[:12], None, (Fault(name[:12], None, "(history)", problem, remedy),))


def _fetch(benchmarks: Set[str]) -> None:
    """Question files of those that have a key; one that cannot be had is told, and its folders are not scored."""
    from hlvid.download.fetch import get

    for name in sorted(filter(None, map(fetched_as, benchmarks & TITLES.keys()))):
        try:
            get(name, no_videos=True, progress=False)
        except HlvidError as error:
            print(f"leaderboard.ci: {name}: {error}", file=sys.stderr)


def _verdict(
    repo: Path, path: str, files: Mapping[str, File], faults: list[Fault], new: bool, keys: Keys
) -> Verdict:
    if not files:
        return Verdict(path, None, tuple(faults))
    faults += odd(path, files)
    if faults:
        return Verdict(path, None, tuple(faults))
    with tempfile.TemporaryDirectory() as scratch:
        # From git's objects: no link, filter, attribute or file system of a checkout stands between.
        folder = Path(scratch).resolve() / path
        folder.mkdir(parents=True)
        for inner, file in files.items():
            (folder / inner).write_bytes(blob(repo, file.blob))
        report = check_folder(folder, keys, placed=True)
        return Verdict(path, entry_of(report), report.faults, report.key_missing, new)


def _outside(name: str) -> Verdict:
    problem = f"lies outside {PLACE}/, where a submission has no business"
    return Verdict(name, None, (fault(name, problem, "take it out, or open another pull request for it"),))


def _owned(path: str, author: str, known: Maintainers) -> Fault:
    problem = f"is on the board already and not {author[:60]}'s"
    remedy = f"submit under a folder name of your own, or ask a maintainer to name you in {FILE}"
    if not known.maintainers:
        remedy += ", which names none yet: who keeps the repository commits the first one there"
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
