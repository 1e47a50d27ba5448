"""`Table`: several systems' answers to the same questions, lined up; what every comparison starts from.

Example::

    table = Table.of({"nvila": rows_a, "blind": rows_b})       # rows as for `summarize`
    table.correct                                              # (questions, systems) of bool
    table.resampled(draws=10_000, seed=0)                      # (draws, systems) accuracies, paired

Systems are only comparable on the very same questions, so others are an error, not an intersection.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlvid.errors import AnswerError
from hlvid.scoring.accuracy import check_rows, cluster_of
from hlvid.scoring.resampling import Floats, cluster_sums, effective_clusters, resample_means

Row = Mapping[str, Any]
_SHOWN = 5
_LABELS = ("source", "category", "tier")


@dataclass(frozen=True, eq=False)
class Table:
    """Answers of S systems to Q questions.

    `letters[q][s]` is a parsed letter or None; `correct` (Q, S) bool; `clusters` the recording of each question;
    `labels` holds source, category and tier of each question (None where unknown).
    """

    systems: tuple[str, ...]
    questions: tuple[str, ...]
    correct: NDArray[np.bool_]
    letters: tuple[tuple[str | None, ...], ...]
    clusters: tuple[Hashable, ...]
    labels: Mapping[str, tuple[str | None, ...]] = field(repr=False)

    @classmethod
    def of(cls, runs: Mapping[str, Sequence[Row]]) -> "Table":
        """Line up runs by question id, in the order of the first.

        Raises:
            AnswerError: malformed rows, or runs of different questions; names the system and questions.
        """
        if not runs:
            raise AnswerError("no runs to compare; give at least one")
        by_id: dict[str, dict[str, Row]] = {}
        for system, rows in runs.items():
            try:
                check_rows(rows)
            except AnswerError as error:
                raise AnswerError(f"{system}: {error}") from error
            by_id[system] = {str(row["question_id"]): row for row in rows}
        systems = tuple(runs)
        first = by_id[systems[0]]
        for system in systems[1:]:
            _same_questions(systems[0], first, system, by_id[system])
        return cls(
            systems=systems,
            questions=tuple(first),
            correct=np.array(
                [[bool(by_id[system][name]["correct"]) for system in systems] for name in first],
                dtype=np.bool_,
            ).reshape(len(first), len(systems)),
            letters=tuple(tuple(by_id[system][name]["parsed"] for system in systems) for name in first),
            clusters=tuple(cluster_of(row) for row in first.values()),
            labels={key: tuple(_label(row.get(key)) for row in first.values()) for key in _LABELS},
        )

    @property
    def accuracy(self) -> Floats:
        """(S,) shares right."""
        return np.asarray(self.correct.mean(axis=0), dtype=np.float64)

    @property
    def effective_clusters(self) -> float:
        """How many recordings of equal size would say as much (see `resampling.effective_clusters`)."""
        return effective_clusters(cluster_sums(np.ones(len(self.clusters)), self.clusters)[1])

    @property
    def cluster_count(self) -> int:
        """How many recordings there are."""
        return len(set(self.clusters))

    def index(self, system: str) -> int:
        """Column of a system.

        Raises:
            AnswerError: unknown; the message lists the known ones.
        """
        if system not in self.systems:
            raise AnswerError(f"system '{system}' is none of {', '.join(self.systems)}")
        return self.systems.index(system)

    def resampled(self, draws: int, seed: int) -> Floats:
        """(draws, S) accuracies on resampled recordings; one matrix product for all systems."""
        sums, sizes = cluster_sums(self.correct, self.clusters)
        return resample_means(sums, sizes, draws=draws, seed=seed)

    def where(self, keep: Sequence[bool] | NDArray[np.bool_]) -> "Table":
        """The table of some of the questions."""
        rows = [number for number, kept in enumerate(keep) if kept]
        return Table(
            systems=self.systems,
            questions=tuple(self.questions[row] for row in rows),
            correct=self.correct[rows],
            letters=tuple(self.letters[row] for row in rows),
            clusters=tuple(self.clusters[row] for row in rows),
            labels={key: tuple(values[row] for row in rows) for key, values in self.labels.items()},
        )


def _same_questions(name_a: str, a: Mapping[str, Row], name_b: str, b: Mapping[str, Row]) -> None:
    _all_answered(name_b, a, b)
    _all_answered(name_a, b, a)
    for name, row in a.items():
        if cluster_of(row) != cluster_of(b[name]):
            raise AnswerError(
                f"{name_b}: question {name}: field 'source' is {b[name].get('source')!r}, but {row.get('source')!r} "
                f"in {name_a}; compare runs of the same dataset version"
            )


def _all_answered(system: str, asked: Mapping[str, Row], answered: Mapping[str, Row]) -> None:
    missing = [name for name in asked if name not in answered]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise AnswerError(
            f"{system}: no answer to questions {', '.join(missing[:_SHOWN])}{more}; compare runs of the same "
            "questions (an unanswered one is a row with parsed: null)"
        )


def _label(value: object) -> str | None:
    return None if value is None else str(value)
