"""Everything the page shows, read from the folders: `load_board(root)` gives sections of scored entries.

A folder is `submissions/BENCHMARK/NAME/`. One that is broken, or whose answer key is not on this machine, is in
`board.refused` with its faults and stops no other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hlvid.dataset import Question
from hlvid.scoring.accuracy import Interval, Row, Summary
from hlvid.scoring.ranks import Rank, rank_intervals
from hlvid.scoring.table import Table
from leaderboard.benchmarks import TITLES, Keys, mean_of
from leaderboard.format.schema import Prediction, Submission, Trust
from leaderboard.format.validate import JSONL_NAME, Report, check_folder
from leaderboard.maintainers import Grant, Maintainers, beside
from leaderboard.scores import rescore, same_answers, second_runs

SUBMISSIONS = Path(__file__).resolve().parent / "submissions"


@dataclass(frozen=True)
class Entry:
    """One line of a table.

    `name` is the folder's name, unique within a benchmark, of [a-z0-9._-]. `rows` (one a question, in the
    key's order: question_id, parsed, correct, source, category, tier), `predictions` (by question id) and
    `summary` are empty or None for a reported number. `rank` (place, best, worst, text) is among the
    section's scored entries. `grant` is who reproduced it, on record with the maintainers. `second_runs` say of
    themselves that they repeat this one, `identical` gave the same letter to every question: both are folder names in
    the same section and no judgement.
    """

    name: str
    benchmark: str
    submission: Submission
    trust: Trust
    accuracy: float  # share in 0 to 1: recomputed, or as reported
    interval: Interval | None  # clustered where rescored, Wilson where only a share and its n are known
    summary: Summary | None = None
    rows: tuple[Row, ...] = ()
    predictions: Mapping[str, Prediction] = field(default_factory=dict, hash=False)
    rank: Rank | None = None
    warnings: tuple[str, ...] = ()
    grant: Grant | None = None
    second_runs: tuple[str, ...] = ()
    identical: tuple[str, ...] = ()

    @property
    def scored(self) -> bool:
        """Whether there are predictions behind the number."""
        return self.summary is not None


@dataclass(frozen=True)
class Section:
    """One benchmark in one version of its questions; entries best first.

    `questions` is empty where all entries are reported, which need no answer key; `revision` is then None. `former` are
    withdrawn or replaced: they keep their pages and have no place.
    """

    benchmark: str
    title: str
    revision: str | None
    questions: tuple[Question, ...]
    entries: tuple[Entry, ...]
    former: tuple[Entry, ...] = ()

    def scored(self) -> tuple[Entry, ...]:
        """Entries with predictions: those that can be compared question by question."""
        return tuple(entry for entry in self.entries if entry.scored)


@dataclass(frozen=True)
class Board:
    """All sections in the order of `TITLES`, and what was refused."""

    sections: tuple[Section, ...]
    refused: tuple[Report, ...]


def load_board(root: Path = SUBMISSIONS, keys: Keys | None = None, benchmark: str | None = None) -> Board:
    """Read and score every submission below `root`; never raises on bad content.

    Args:
        root: a folder of BENCHMARK/NAME/ folders.
        keys: answer keys; by default from this machine's data folder.
        benchmark: only this one.
    """
    keys, granted = keys or Keys(), beside(root)
    found: dict[str, list[tuple[Entry, str | None]]] = {}
    refused: list[Report] = []
    for folder in submission_folders(root):
        if benchmark not in (None, folder.parent.name):
            continue
        report = check_folder(folder, keys, placed=True)
        entry = entry_of(report)
        if entry is None:
            refused.append(report)
        else:
            revision = report.key.revision if report.key else None
            found.setdefault(entry.benchmark, []).append((_granted(entry, granted, folder), revision))
    sections: list[Section] = []
    for benchmark in sorted(found, key=list(TITLES).index):
        sections += _sections(benchmark, found[benchmark], keys)
    return Board(tuple(sections), tuple(refused))


def submission_folders(root: Path) -> list[Path]:
    """Every `BENCHMARK/NAME` below `root`, sorted; hidden entries are passed over, links are not followed."""
    benchmarks = [path for path in _inside(root) if path.is_dir() and not path.is_symlink()]
    return [path for benchmark in benchmarks for path in _inside(benchmark)]


def entry_of(report: Report) -> Entry | None:
    """A sound report as an entry without a place yet; None where there are faults."""
    submission = report.submission
    if report.faults or submission is None:
        return None
    score = rescore(submission, report.rows)
    return Entry(
        name=report.folder.name,
        benchmark=submission.benchmark,
        submission=submission,
        trust=score.trust,
        accuracy=score.accuracy,
        interval=score.interval,
        summary=score.summary,
        rows=report.rows,
        predictions=report.predictions,
        warnings=report.warnings,
    )


def _granted(entry: Entry, granted: Maintainers, folder: Path) -> Entry:
    """The entry with the trust that people gave it."""
    if not entry.scored:
        return entry
    grant, lapsed = granted.grant(f"{entry.benchmark}/{entry.name}", folder / JSONL_NAME)
    if lapsed is not None:
        return replace(entry, warnings=(*entry.warnings, lapsed))
    return entry if grant is None else replace(entry, grant=grant, trust="reproduced")


def _sections(benchmark: str, found: Sequence[tuple[Entry, str | None]], keys: Keys) -> list[Section]:
    """One section a dataset version; reported numbers, which have none, stand with the first."""
    revisions = sorted({revision for _, revision in found if revision is not None})
    if not revisions:
        return [Section(benchmark, TITLES[benchmark], None, (), *_ordered([entry for entry, _ in found]))]
    sections = []
    for revision in revisions:
        reported = revision == revisions[0]
        entries = [entry for entry, its in found if its == revision or (its is None and reported)]
        key = keys.get(benchmark, revision)
        sections.append(Section(benchmark, key.title, revision, key.questions, *_ordered(entries)))
    return sections


def _ordered(entries: Sequence[Entry]) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Those that stand, then those that are withdrawn or replaced; best first (ties by name)."""
    names = {entry.name for entry in entries}
    gone = {entry.name for entry in entries if _is_former(entry, names)}
    # Best first, as the page has them too: its table is then this one, whose tests are known (`rule.together`).
    entries = sorted(entries, key=lambda entry: (-entry.accuracy, entry.name))
    scored = [entry for entry in entries if entry.scored]
    standing = {entry.name: entry.rows for entry in scored if entry.name not in gone}
    ranks = rank_intervals(Table.of(standing, mean_of(entries[0].benchmark))) if standing else []
    placed = {rank.system: rank for rank in ranks}
    again = second_runs({entry.name: entry.submission for entry in scored})
    same = same_answers({entry.name: entry.rows for entry in scored})
    done = [
        replace(
            entry,
            rank=placed.get(entry.name),
            second_runs=again.get(entry.name, ()),
            identical=same.get(entry.name, ()),
        )
        for entry in entries
    ]
    return tuple(one for one in done if one.name not in gone), tuple(one for one in done if one.name in gone)


def _is_former(entry: Entry, names: Collection[str]) -> bool:
    """Withdrawn, or replaced by an entry that is here."""
    submission = entry.submission
    return submission.withdrawn is not None or (
        submission.superseded_by in names and submission.superseded_by != entry.name
    )


def _inside(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
