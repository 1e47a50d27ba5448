"""The number that is shown, recomputed from predictions, and how far it can be trusted.

| trust | what stands behind the number |
|---|---|
| reported | a paper; no predictions |
| rescored | predictions, from which we computed it; whether the model gave them is the submitter's word |
| reproduced | a second run by someone else, which a maintainer has looked at (`leaderboard.maintainers`) |
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hlvid import __version__
from hlvid.scoring import answers
from hlvid.scoring.accuracy import Interval, Row, Summary, summarize, wilson
from hlvid.scoring.averages import category_mean, category_mean_interval
from leaderboard.benchmarks import MEANS, SIZES
from leaderboard.format.schema import Submission, Trust


@dataclass(frozen=True)
class Score:
    """`accuracy` in 0 to 1; `interval` clustered by recording, or Wilson's for a reported share with known n.

    For the benchmarks of `MEANS` both are those of the mean of the categories' accuracies.
    """

    trust: Trust
    accuracy: float
    interval: Interval | None
    summary: Summary | None


def rescore(submission: Submission, rows: Sequence[Row]) -> Score:
    """The score of a sound submission; what it claims has no influence on it."""
    if submission.reported is None:
        summary = summarize(rows)
        if submission.benchmark in MEANS:
            return Score("rescored", category_mean(rows), category_mean_interval(rows), summary)
        return Score("rescored", summary.overall.value, summary.overall.clustered, summary)
    share = submission.reported.accuracy_percent / 100
    n = SIZES.get(submission.benchmark)
    return Score("reported", share, None if n is None else wilson(round(share * n), n), None)


def second_runs(submissions: Mapping[str, Submission]) -> dict[str, tuple[str, ...]]:
    """Which others say that they repeat an entry, by folder name; whether they do is for people to judge."""
    found: dict[str, list[str]] = {}
    for name, submission in sorted(submissions.items()):
        if submission.reproduces in submissions and submission.reproduces != name:
            found.setdefault(str(submission.reproduces), []).append(name)
    return {name: tuple(by) for name, by in found.items()}


def same_answers(systems: Mapping[str, Sequence[Row]]) -> dict[str, tuple[str, ...]]:
    """Which entries gave the very same letters to all questions: {name: (other names, …)}; a copy looks like that."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, rows in sorted(systems.items()):
        groups.setdefault(tuple(row["parsed"] for row in rows), []).append(name)
    return {
        name: tuple(other for other in group if other != name)
        for group in groups.values()
        if len(group) > 1
        for name in group
    }


@lru_cache(maxsize=1)
def scorer() -> str:
    """What reads answers here, by version and content: "hlvid 0.1.0, reader of answers 3f2c9a1b"."""
    folder = Path(answers.__file__).parent
    texts = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    return f"hlvid {__version__}, reader of answers {hashlib.sha256(texts).hexdigest()[:8]}"


def percent(share: float) -> str:
    """0.4963 -> "49.6 %"."""
    return f"{100 * share:.1f} %"
