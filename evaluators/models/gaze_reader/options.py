"""From text read in a video to one of a question's options, or to honest silence.

>>> lines = [Line("DL3", 0.98, 55, (40, 12, 88, 30), 1.0, 18), Line("EXIT 12", 0.9, 55, (200, 12, 290, 30), 1.0, 18)]
>>> score_options({"A": "DL5", "B": "DL3"}, lines)
Verdict(letter='B', how='exact', evidence={'A': 0.0, 'B': 0.98})

The question itself is not understood; an option is believed because it was read somewhere. Three kinds of
evidence, and a weaker kind only speaks where the stronger ones are silent:

- exact: the option, without spaces, punctuation and case, is a line or a run of whole words of it;
- look_alike: the same once characters that OCR confuses are made equal (0 O D Q, 1 I L, 5 S, 8 B, 2 Z, 6 G);
- fuzzy: the option is closer to a line than every other option is (rapidfuzz), by how much it is closer.

Each reading counts with the engine's score and with how much of it was seen sharply. The best option has to
lead the second by `MARGIN`, else nobody wins.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rapidfuzz import fuzz

LOOK_ALIKES = str.maketrans("ODQILSBZG", "000115826")
MARGIN = 0.25
"""The lead that the best option needs over the second, as a share of its own evidence."""
SIMILAR = 0.7
"""Fuzzy similarity (0 to 1) from which a line is about an option at all."""
EASY_HEIGHT = 16
"""Height in px of a detected line (its letters are about two thirds of it) from which on size is no obstacle."""
INSIDE = 4
"""From this many characters on, an option may also be found inside a run of letters (OCR swallows spaces)."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """A line of text read in a frame.

    score: the engine's, 0 to 1. frame: index in the video. box: left, top, right, bottom in px of the
        picture seen.
    sharp: the share of the box that was gazed at the scale it was read at; a half-seen 8 is a 3.
    seen_height: of the box as it was read, in px; small text is misread with confidence.
    """

    text: str
    score: float
    frame: int
    box: Box
    sharp: float
    seen_height: float

    @property
    def weight(self) -> float:
        """What the reading counts, 0 to 1."""
        return self.score * self.sharp**2 * min(1.0, self.seen_height / EASY_HEIGHT) ** 2


@dataclass(frozen=True)
class Verdict:
    """letter: the option believed, or None. how: the kind of evidence, "tie" or "nothing"."""

    letter: str | None
    how: str
    evidence: dict[str, float]


def score_options(options: Mapping[str, str], lines: Sequence[Line]) -> Verdict:
    """The option that the lines speak for."""
    tied: Verdict | None = None
    for how, evidence_of in KINDS:
        evidence = evidence_of(options, lines)
        best, second = sorted([*evidence.values(), 0.0], reverse=True)[:2]
        if best <= 0:
            continue
        if best - second >= MARGIN * best:
            return Verdict(max(evidence, key=lambda letter: evidence[letter]), how, evidence)
        tied = tied or Verdict(None, "tie", evidence)
    return tied or Verdict(None, "nothing", dict.fromkeys(options, 0.0))


def plain(text: str) -> str:
    """Capital letters and digits alone: "Hampden-St. " -> "HAMPDENST"."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).upper())


def folded(text: str) -> str:
    """`plain` with confusable characters made equal: "DLB" and "0L8" -> "018"."""
    return plain(text).translate(LOOK_ALIKES)


def _contained(
    options: Mapping[str, str], lines: Sequence[Line], form: Callable[[str], str]
) -> dict[str, float]:
    """Weight of the lines that hold each option; of options inside each other the longest is meant.

    Options that the form makes equal get the same evidence, which is a tie.
    """
    wanted = {letter: form(text) for letter, text in options.items()}
    evidence = dict.fromkeys(options, 0.0)
    for line in lines:
        held = [letter for letter, text in wanted.items() if text and _holds(line.text, text, form)]
        longest = max((len(wanted[letter]) for letter in held), default=0)
        for letter in held:
            if len(wanted[letter]) == longest:
                evidence[letter] += line.weight
    return evidence


def _holds(line: str, option: str, form: Callable[[str], str]) -> bool:
    """Whether the option is the line, a run of its words, or (if long enough) inside it."""
    words = [word for word in map(form, line.split()) if word]
    whole = "".join(words)
    if len(option) >= INSIDE:
        return option in whole
    return any("".join(words[i:j]) == option for i in range(len(words)) for j in range(i + 1, len(words) + 1))


def _fuzzy(options: Mapping[str, str], lines: Sequence[Line]) -> dict[str, float]:
    """For each line the lead of its most similar option over the next, if it is similar enough."""
    wanted = {letter: plain(text) for letter, text in options.items()}
    evidence = dict.fromkeys(options, 0.0)
    for line in lines:
        text = plain(line.text)
        alike = {letter: _similarity(option, text) for letter, option in wanted.items()}
        best = max(alike, key=lambda letter: alike[letter], default=None)
        if best is None or alike[best] < SIMILAR:
            continue
        lead = alike[best] - max((value for letter, value in alike.items() if letter != best), default=0.0)
        evidence[best] += line.weight * lead
    return evidence


def _similarity(option: str, text: str) -> float:
    """0 to 1; a longer line is compared by its best stretch, unless the option is but a character or two."""
    if not option or len(text) < 2:
        return 0.0
    compare = fuzz.partial_ratio if len(text) > len(option) > 2 else fuzz.ratio
    return float(compare(option, text)) / 100


KINDS = (
    ("exact", partial(_contained, form=plain)), ("look_alike", partial(_contained, form=folded)), ("fuzzy", _fuzzy),
)  # fmt: skip
"""How the options' evidence is found, the strongest first."""
