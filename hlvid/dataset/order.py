"""Options of a question in another order: text, letters and answer change together.

Many models prefer a letter, whatever stands behind it. Asking in a random order takes the preference out of the
mean; asking in every rotation, and counting a question as right only if it is right in all, takes guessing out too.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from hlvid.dataset.options import option_spans
from hlvid.dataset.question import Question
from hlvid.errors import DatasetError

_NAMES_OTHERS = re.compile(
    r"\b[A-Z] (?:and|or|&) [A-Z]\b|\bof the above\b|\bthe (?:above|following)\b", re.IGNORECASE
)


def shuffled(question: Question, seed: int) -> str:
    """Letters of the options in the order in which they are to be shown; the same on every machine."""
    letters = "".join(question.options)
    if not is_movable(question):
        return letters

    def chance(letter: str) -> bytes:
        return hashlib.sha256(f"{seed}/{question.id}/{letter}".encode()).digest()

    return "".join(sorted(letters, key=chance))


def rotations(question: Question) -> list[str]:
    """Every rotation of the letters, the published order first; only that one where options must not move."""
    letters = "".join(question.options)
    turns = range(len(letters)) if is_movable(question) else range(1)
    return [letters[turn:] + letters[:turn] for turn in turns]


def is_movable(question: Question) -> bool:
    """Whether the options may change places: not where one speaks of others: "Both A and B"."""
    return not any(_NAMES_OTHERS.search(text) for text in question.options.values())


def relabelled(question: Question, order: Sequence[str]) -> Question:
    """The question with its options in this order (old letters), each under the letter of its new place.

    Only the options' own characters move in `text`; labels and everything around them stay.

    Raises:
        DatasetError: the text does not list its options one after the other.
    """
    letters = list(question.options)
    if list(order) == letters:
        return question
    assert sorted(order) == letters
    text = question.prompt()
    spans = option_spans(text, question.options)
    if not spans:
        raise DatasetError(
            f"question {question.id}: its text does not list its options in order, so they cannot be shown in "
            "another; leave out shuffle and circular"
        )
    shown = dict(zip(letters, (text[begin:end] for begin, end in spans), strict=True))
    for (begin, end), letter in reversed(list(zip(spans, order, strict=True))):
        text = text[:begin] + shown[letter] + text[end:]
    answer = None if question.answer is None else letters[list(order).index(question.answer)]
    options = {letter: question.options[old] for letter, old in zip(letters, order, strict=True)}
    return replace(question, text=text, options=options, answer=answer)
