"""Questions whose label deserves a second look: all systems fail them, with one and the same letter."""

from dataclasses import dataclass

from hlvid.scoring.table import Table


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
