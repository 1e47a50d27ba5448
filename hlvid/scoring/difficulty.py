"""Questions across systems: how hard each is, who agrees with whom, and which labels deserve a second look.

Example::

    table = Table.of(runs)
    difficulty(table)[0]                        # the hardest question: id, share of systems right, letters given
    label_suspects(table)                       # all wrong, and all the same wrong letter
    agreement(table, "nvila", "qwen").kappa
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hlvid.scoring.table import Table


@dataclass(frozen=True)
class Difficulty:
    """One question: `right` of `systems` systems, and how often each letter was given ("" for unparsed)."""

    question_id: str
    source: str | None
    right: int
    systems: int
    letters: Mapping[str, int]


@dataclass(frozen=True)
class Suspect:
    """A question that every system fails with the same letter: the label may be wrong, or the question leads astray.

    `chance` is the probability that as many independent guessers would all agree on one wrong letter.
    """

    question_id: str
    source: str | None
    letter: str
    systems: int
    chance: float


@dataclass(frozen=True)
class Agreement:
    """How alike two systems answer.

    `same` is the share of questions with the same letter, `kappa` Cohen's, which takes away what their letter
    habits alone would give (NaN where both always say one and the same); unparsed counts as a letter of
    its own. `same_when_wrong`: among the questions both fail, the share with the same wrong letter (NaN if none).
    """

    same: float
    kappa: float
    both_right: int
    both_wrong: int
    same_when_wrong: float


def difficulty(table: Table) -> list[Difficulty]:
    """All questions, the hardest first, then in the table's order."""
    right = table.correct.sum(axis=1)
    order = np.argsort(right, kind="stable")
    return [
        Difficulty(
            question_id=table.questions[row],
            source=table.labels["source"][row],
            right=int(right[row]),
            systems=len(table.systems),
            letters=dict(sorted(Counter(letter or "" for letter in table.letters[row]).items())),
        )
        for row in map(int, order)
    ]


def label_suspects(table: Table, *, minimum: int = 3, options: int = 4) -> list[Suspect]:
    """Questions that all systems fail, agreeing on one wrong letter.

    Args:
        table: systems should be independent; variants of one model agree for other reasons.
        minimum: systems needed for the list to mean anything.
        options: letters a guesser chooses from, for `chance`.
    """
    count = len(table.systems)
    if count < minimum:
        return []
    found = []
    for row, given in enumerate(table.letters):
        letter = given[0]
        if letter is not None and not table.correct[row].any() and all(one == letter for one in given):
            chance = (options - 1) * (1 / options) ** count
            found.append(Suspect(table.questions[row], table.labels["source"][row], letter, count, chance))
    return found


def agreement(table: Table, a: str, b: str) -> Agreement:
    """How alike systems `a` and `b` answer.

    Raises:
        AnswerError: an unknown system.
    """
    column_a, column_b = table.index(a), table.index(b)
    pairs = [(row[column_a] or "", row[column_b] or "") for row in table.letters]
    right_a, right_b = table.correct[:, column_a], table.correct[:, column_b]
    wrong = [one == other for (one, other), ok in zip(pairs, right_a | right_b, strict=True) if not ok]
    return Agreement(
        same=sum(one == other for one, other in pairs) / len(pairs) if pairs else math.nan,
        kappa=cohen_kappa(pairs),
        both_right=int((right_a & right_b).sum()),
        both_wrong=len(wrong),
        same_when_wrong=sum(wrong) / len(wrong) if wrong else math.nan,
    )


def cohen_kappa(pairs: list[tuple[str, str]]) -> float:
    """Cohen's kappa (1960), unweighted: (observed - expected) / (1 - expected); NaN where it is undefined."""
    n = len(pairs)
    if n == 0:
        return math.nan
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    observed = sum(one == other for one, other in pairs) / n
    expected = sum(first[label] * second[label] for label in first) / n**2
    return (observed - expected) / (1 - expected) if expected < 1 else math.nan
