"""From the samples of one run to the numbers the demo shows.

Samples are the dicts that the tasks' `process_results` returns (question_id, correct, parsed, tier, ...).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluators.demo.grid import Setting
from hlvid.scoring.accuracy import Accuracy, Summary, summarize


@dataclass(frozen=True)
class Row:
    """One line of the demo's table: a setting, its accuracies and what it cost."""

    setting: Setting
    summary: Summary
    tokens_per_question: float
    seconds_per_question: float
    samples: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record with every number shown and the settings that made it."""
        summary = self.summary
        return {
            **asdict(self.setting),
            "overall": accuracy_json(summary.overall),
            "by_tier": {name: accuracy_json(value) for name, value in summary.by_tier.items()},
            "by_category": {name: accuracy_json(value) for name, value in summary.by_category.items()},
            "tokens_per_question": self.tokens_per_question,
            "seconds_per_question": self.seconds_per_question,
        }


def make_row(setting: Setting, samples: Sequence[Mapping[str, Any]]) -> Row:
    """Summarise one run; tokens and seconds are means over questions, 0 where a model records none.

    Questions on one video share its reading; each counts all of its tokens and seconds, as if asked alone. So
    do `hlvid eval` and `hlvid results`, and so do models that read the video anew for every question.
    """
    return Row(
        setting,
        summarize(samples),
        _mean([float(sample["details"].get("tokens_selected", 0)) for sample in samples]),
        _mean([float(sum(sample["details"].get("seconds", {}).values())) for sample in samples]),
        samples,
    )


def full_series(rows: Sequence[Row]) -> list[Row]:
    """The rows of the first selector at its highest gazing ratio: those that were run at every resolution."""
    gazed = [row for row in rows if row.setting.ratio is not None]
    first = [row for row in gazed if row.setting.selector == gazed[0].setting.selector]
    highest = max(row.setting.ratio or 0.0 for row in first)
    return [row for row in first if row.setting.ratio == highest]


def accuracy_json(accuracy: Accuracy) -> dict[str, Any]:
    """The fields of an `Accuracy` with its intervals as nested dicts."""
    return asdict(accuracy)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
