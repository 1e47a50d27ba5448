"""`hlvid submit`: from a run or a table to a checked folder, its standing, a branch and a pull request's text.

Everything happens on this machine; nothing is pushed unless the submitter asks for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

from hlvid.scoring.accuracy import Accuracy, Interval, Row
from hlvid.scoring.compare import Comparison, compare_table
from hlvid.scoring.ranks import Rank, rank_intervals
from hlvid.scoring.table import MeanOf, Table
from leaderboard.benchmarks import MEANS, AnswerKey, Keys, mean_of
from leaderboard.board import SUBMISSIONS, Entry, Section, entry_of, load_board
from leaderboard.format.faults import Fault, SubmissionError
from leaderboard.format.reading import TOML_BYTES, read_text
from leaderboard.format.validate import JSONL_NAME, README, TOML_NAME, check_folder
from leaderboard.scores import percent
from leaderboard.submit.branch import PLACE, Branch, make_branch
from leaderboard.submit.drafts import make_draft, write_folder
from leaderboard.submit.markdown import escape, table
from leaderboard.submit.public import private

NEIGHBOURS = 2  # on either side


@dataclass(frozen=True)
class Standing:
    """Where a run would stand: `rank` among scored entries, paired comparisons with its neighbours.

    `reported_above` counts reported numbers that are higher; they allow no paired comparison.
    """

    rank: Rank
    of: int
    comparisons: tuple[Comparison, ...]
    reported_above: int


@dataclass(frozen=True)
class Ready:
    """A submission that can be sent: `body` is the file with the pull request's text, `title` its title."""

    folder: Path
    key: AnswerKey
    entry: Entry
    standing: Standing
    title: str
    body: Path

    @property
    def target(self) -> str:
        """Where the folder goes in the results repository."""
        return f"{PLACE}/{self.entry.benchmark}/{self.entry.name}"


def prepare(
    source: Path,
    out: Path,
    given: Mapping[str, Any] | None = None,
    name: str | None = None,
    submissions: Path = SUBMISSIONS,
    keys: Keys | None = None,
) -> Ready:
    """Build, check and score a submission below `out`.

    Args:
        source: run folder, samples file, table or submission folder (see `leaderboard.submit.drafts`).
        out: gets BENCHMARK/NAME/ and BENCHMARK-NAME.md.
        given: fields of submission.toml that win over the source's.
        name: of the folder; by default from the model's name and settings.
        submissions: the board to stand on.
        keys: answer keys; by default from this machine's data folder.

    Raises:
        SubmissionError: with every fault that was found.
        AnswerError: the source is nothing of the kind.
    """
    keys = keys or Keys()
    folder = write_folder(make_draft(source, given, name, keys), out)
    report = check_folder(folder, keys, placed=True)
    report.raise_for_faults()
    if faults := _readme_faults(folder):
        raise SubmissionError(faults)
    entry = entry_of(report)
    assert entry is not None and report.key is not None  # no faults, and never a reported number
    standing = stand(
        entry.name, entry.rows, _others(submissions, entry, report.key, keys), mean_of(entry.benchmark)
    )
    title = f"Submission: {entry.name} on {report.key.title}, {percent(entry.accuracy)}"
    body = out / f"{entry.benchmark}-{entry.name}.md"
    ready = Ready(folder, report.key, entry, standing, title, body)
    body.write_text(pull_request(ready), encoding="utf-8")
    return ready


def _readme_faults(folder: Path) -> list[Fault]:
    """A README.md that the submitter wrote goes along, and is public like the rest."""
    if not (folder / README).exists():
        return []
    text, faults = read_text(folder / README, TOML_BYTES)
    lines = enumerate(text.split("\n"), 1)
    return faults or private((README, number, "(line)", line) for number, line in lines)


def branch_for(ready: Ready, repo: Path) -> Branch:
    """The branch that adds this submission to a clone of the results repository."""
    return make_branch(repo, ready.folder, ready.target, f"{ready.title}\n\n{score_line(ready)}")


def describe(ready: Ready) -> str:
    """Score and standing for the terminal."""
    lines = [f"{ready.entry.name} on {ready.key.title}: {score_line(ready)}", place_line(ready)]
    lines += [f"  {comparison.verdict}" for comparison in ready.standing.comparisons]
    if ready.entry.warnings:
        lines.append(f"{len(ready.entry.warnings)} warning(s): {'; '.join(ready.entry.warnings[:5])}")
    return "\n".join(lines)


def published(ready: Ready) -> str:
    """What a pull request would show, for the terminal: submission.toml whole, the answers by their fields."""
    fields: dict[str, int] = {}
    for answer in ready.entry.predictions.values():
        for name in answer.model_dump(exclude_none=True):
            fields[name] = fields.get(name, 0) + 1
    counted = ", ".join(f"{name} in {count}" for name, count in fields.items())
    return (
        f"What becomes public, {TOML_NAME}:\n{indent((ready.folder / TOML_NAME).read_text(encoding='utf-8'), '    ')}"
        f"and {JSONL_NAME}: {len(ready.entry.predictions)} lines ({counted})"
        + (f", and {README} as it is" if (ready.folder / README).exists() else "")
    )


def pull_request(ready: Ready) -> str:
    """The pull request's text, Markdown; what a submitter wrote is escaped."""
    entry, submission = ready.entry, ready.entry.submission
    assert entry.summary is not None
    groups = [
        ("all", entry.summary.overall),
        *entry.summary.by_category.items(),
        *entry.summary.by_tier.items(),
    ]
    facts = {
        "model": submission.model.name,
        "revision": submission.model.revision,
        "openness": submission.model.openness,
        **submission.settings.model_dump(exclude_none=True),
        **submission.cost.model_dump(exclude_none=True),
        "training data": submission.training_data or None,
        "dataset": ready.key.revision,
    }
    return "\n\n".join(
        [
            f"Adds `{ready.target}/`. {escape(score_line(ready))}",
            table(("questions", "right", "accuracy", "95 % interval"), [_row(*group) for group in groups]),
            escape(place_line(ready)),
            *(f"- {escape(comparison.verdict)}" for comparison in ready.standing.comparisons),
            table(("field", "stated"), [(name, _or_unstated(value)) for name, value in facts.items()]),
            "Scored by `hlvid submit` from the predictions; the checks of this repository score them again.\n",
        ]
    )


def _others(submissions: Path, entry: Entry, key: AnswerKey, keys: Keys) -> tuple[Entry, ...]:
    """The entries of the section this one belongs to."""
    board = load_board(submissions, keys, benchmark=entry.benchmark)
    fitting: list[Section] = [one for one in board.sections if one.revision in (None, key.revision)]
    return fitting[0].entries if fitting else ()


def score_line(ready: Ready) -> str:
    """Score and interval in one line."""
    assert ready.entry.summary is not None
    overall = ready.entry.summary.overall
    unparsed = f", {overall.unparsed} without a letter" if overall.unparsed else ""
    left_out = len(ready.entry.submission.left_out)
    unparsed += f", {left_out} of these not asked and counted as wrong" if left_out else ""
    line = (
        f"{overall.correct} of {overall.n} right, {percent(overall.value)} "
        f"(95 %: {_ends(overall.clustered)}, clustered by recording{unparsed})"
    )
    if ready.entry.benchmark not in MEANS or ready.entry.interval is None:
        return line
    return f"mean of the categories {percent(ready.entry.accuracy)} (95 %: {_ends(ready.entry.interval)}); {line}"


def place_line(ready: Ready) -> str:
    """Where it would stand, in a sentence."""
    rank, standing = ready.standing.rank, ready.standing
    reported = standing.reported_above
    more = f"; {reported} reported number(s) are higher, without predictions to compare" if reported else ""
    if standing.of == 1:
        return f"It would be the first with predictions{more}."
    return f"It would stand in place {rank.place} of {standing.of} with predictions; possible: {rank.text}{more}."


def _row(name: str, accuracy: Accuracy) -> tuple[object, ...]:
    return (name, f"{accuracy.correct} of {accuracy.n}", percent(accuracy.value), _ends(accuracy.clustered))


def _or_unstated(value: object) -> object:
    return "not stated" if value is None else value


def _ends(interval: Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"


def stand(
    name: str, rows: Sequence[Row], entries: Sequence[Entry], mean_of: MeanOf = "questions"
) -> Standing:
    """Put a run among the entries of its section; one of the same name is replaced by it."""
    others = {entry.name: entry for entry in entries if entry.scored and entry.name != name}
    table = Table.of({name: rows, **{other: entry.rows for other, entry in others.items()}}, mean_of)
    ranks = {rank.system: rank for rank in rank_intervals(table)}
    own = ranks[name]
    ordered = sorted(others, key=lambda other: (abs(ranks[other].place - own.place), other))
    better = [other for other in ordered if ranks[other].accuracy > own.accuracy][:NEIGHBOURS]
    worse = [other for other in ordered if other not in better and ranks[other].accuracy <= own.accuracy]
    near = sorted([*better, *worse[:NEIGHBOURS]], key=lambda other: (ranks[other].place, other))
    above = sum(not entry.scored and entry.accuracy > own.accuracy for entry in entries)
    # Corrected over all pairs, as the places are: the two could contradict each other else.
    pairs = compare_table(table, only=[(0, table.systems.index(other)) for other in near])
    return Standing(own, len(ranks), tuple(pairs), above)
