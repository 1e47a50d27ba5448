"""The number that is shown, recomputed from predictions, and how far it can be trusted.

Example::

    score = rescore(submission, rows)      # rows: from `validate.check_folder`
    score.trust, score.accuracy            # "rescored", 0.4963

| trust | what stands behind the number |
|---|---|
| reported | a paper; no predictions |
| rescored | predictions, from which we computed it; whether the model gave them is the submitter's word |
| reproduced | a second run by someone else, also here, with nearly the same result |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hlvid.scoring.accuracy import Interval, Row, Summary, summarize, wilson
from hlvid.scoring.averages import category_mean, category_mean_interval
from leaderboard.benchmarks import MEANS, SIZES
from leaderboard.format.schema import Prediction, Submission, Trust

CLOSE = 0.02  # of the questions, and at least one: how far a second run's number of right answers may lie off

Run = tuple[Submission, Mapping[str, Prediction], Sequence[Row]]


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


def reproductions(runs: Mapping[str, Run]) -> dict[str, tuple[str, ...]]:
    """Which runs are reproduced, and by which others: {name: (names, …)}.

    Args:
        runs: scored submissions of one benchmark and version, by folder name.
    """
    found: dict[str, list[str]] = {}
    for name, run in sorted(runs.items()):
        original = run[0].reproduces
        if (
            original is not None
            and original in runs
            and original != name
            and is_reproduction(runs[original], run)
        ):
            found.setdefault(original, []).append(name)
    return {name: tuple(by) for name, by in found.items()}


def is_reproduction(original: Run, again: Run) -> bool:
    """Whether `again` is a second run of the same model, by someone else, that came to nearly the same result.

    The same name and revision of the model; two stated contacts that differ; predictions that are no copy (a
    second run does not take the same seconds); right answers within `CLOSE`.
    """
    first, second = original[0], again[0]
    if _same(first.contact, second.contact) or first.contact is None or second.contact is None:
        return False
    if not (
        _same(first.model.name, second.model.name) and _same(first.model.revision, second.model.revision)
    ):
        return False
    if any(one.seconds is not None for one in original[1].values()) and original[1] == again[1]:
        return False
    right = [sum(bool(row["correct"]) for row in run[2]) for run in (original, again)]
    return abs(right[0] - right[1]) <= max(1, CLOSE * len(original[2]))


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").casefold() == (other or "").casefold()
