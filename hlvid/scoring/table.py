"""`Table`: several systems' answers to the same questions, lined up; what every comparison starts from.

Systems are only comparable on the very same questions, so others are an error, not an intersection.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hlvid.errors import AnswerError
from hlvid.scoring.accuracy import check_rows, cluster_of
from hlvid.scoring.clusters import Floats, cluster_sums, effective_clusters

Row = Mapping[str, Any]
MeanOf = Literal["questions", "categories"]
_SHOWN = 5
_LABELS = ("source", "category", "tier")


@dataclass(frozen=True, eq=False)
class Table:
    """Answers of S systems to Q questions.

    `letters[q][s]` is a parsed letter or None; `correct` (Q, S) 1, 0 or a share; `clusters` the recording of each;
    `labels` holds source, category and tier of each question (None where unknown). `weights` (Q,) add up to Q:
    1 each, or Q / (K x questions of its category) where each of K categories counts alike.
    """

    systems: tuple[str, ...]
    questions: tuple[str, ...]
    correct: Floats
    letters: tuple[tuple[str | None, ...], ...]
    clusters: tuple[Hashable, ...]
    labels: Mapping[str, tuple[str | None, ...]] = field(repr=False)
    weights: Floats = field(repr=False)
    mean_of: MeanOf = "questions"

    @classmethod
    def of(cls, runs: Mapping[str, Sequence[Row]], mean_of: MeanOf = "questions") -> "Table":
        """Line up runs by question id, in the order of the first.

        Args:
            runs: rows of each system, as for `summarize`.
            mean_of: what counts alike, questions or categories.

        Raises:
            AnswerError: malformed rows, runs of different questions, or a question without a category where
                these count; names the system and questions.
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
        labels = {key: tuple(_label(row.get(key)) for row in first.values()) for key in _LABELS}
        return cls(
            systems=systems,
            questions=tuple(first),
            correct=np.array(
                [[float(by_id[system][name]["correct"]) for system in systems] for name in first],
                dtype=np.float64,
            ).reshape(len(first), len(systems)),
            letters=tuple(tuple(by_id[system][name]["parsed"] for system in systems) for name in first),
            clusters=tuple(cluster_of(row) for row in first.values()),
            labels=labels,
            weights=_weights(tuple(first), labels["category"], mean_of),
            mean_of=mean_of,
        )

    @property
    def accuracy(self) -> Floats:
        """(S,) shares right, weighted; NaN without questions."""
        if not self.questions:
            return np.full(len(self.systems), np.nan)
        return np.asarray(self.weights @ self.correct / self.weights.sum(), dtype=np.float64)

    @property
    def shares(self) -> Floats:
        """(Q,) the weights as parts of 1."""
        return np.asarray(self.weights / self.weights.sum(), dtype=np.float64)

    def differences(self, one: int, other: int) -> Floats:
        """(Q,) 1 where only the first of two columns is right, -1 where only the second is, else 0; shares between."""
        return self.correct[:, one].astype(np.float64) - self.correct[:, other]

    @cached_property
    def cluster_sizes(self) -> Floats:
        """(G,) weight of each recording's questions."""
        return cluster_sums(np.ones(len(self.clusters)), self.clusters, self.weights)[1]

    @property
    def effective_clusters(self) -> float:
        """How many recordings of equal size would say as much (see `clusters.effective_clusters`)."""
        return effective_clusters(self.cluster_sizes)

    @property
    def cluster_count(self) -> int:
        """How many recordings there are."""
        return len(set(self.clusters))

    def where(self, keep: Sequence[bool] | NDArray[np.bool_]) -> "Table":
        """The table of some of the questions, which count alike as before (within it)."""
        rows = [number for number, kept in enumerate(keep) if kept]
        questions = tuple(self.questions[row] for row in rows)
        labels = {key: tuple(values[row] for row in rows) for key, values in self.labels.items()}
        return Table(
            systems=self.systems,
            questions=questions,
            correct=self.correct[rows],
            letters=tuple(self.letters[row] for row in rows),
            clusters=tuple(self.clusters[row] for row in rows),
            labels=labels,
            weights=_weights(questions, labels["category"], self.mean_of),
            mean_of=self.mean_of,
        )


def _weights(questions: Sequence[str], categories: Sequence[str | None], mean_of: MeanOf) -> Floats:
    if mean_of == "questions":
        return np.ones(len(questions))
    counts = Counter(categories)
    if None in counts:
        nameless = questions[list(categories).index(None)]
        raise AnswerError(f"question {nameless}: has no category; their mean needs one for each question")
    return np.array([len(questions) / (len(counts) * counts[one]) for one in categories], dtype=np.float64)


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
