"""Takes one question text apart: stem, lettered options, closing instruction.

The benchmark keeps everything in one field and spaces it unevenly::

    split_question("What does the sign say?\\n A. Hampden St\\nB. Hampden Ave\\nC. HampdenBlvd\\n"
                   "Please answer directly with the letter of the correct answer.")
    # Parts(stem="What does the sign say?",
    #       options={"A": "Hampden St", "B": "Hampden Ave", "C": "HampdenBlvd"},
    #       instruction="Please answer directly with the letter of the correct answer.")

A letter with a dot is not always a label: options such as "B. Smith" or "St. A. B." hold such letters too. So
the labels are looked for as one chain A, B, C, … in one style ("A.", "A)", "(A)", "A:"), first among letters
that open a line, else anywhere. Among equally long chains the one with the most even option lengths wins,
because the options of a question are written alike.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from statistics import pvariance

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_MARKERS = 200  # what comes after so many is no question; it bounds the search on hostile texts

_MARKER = re.compile(
    r"(?:^|(?<=\s))"  # a label opens a word
    r"(?:[(\[（](?P<both>[A-Z])[)\]）]|(?P<one>[A-Z])(?P<mark>[.):．、：）]))"
    r"(?![A-Z]\.)",  # but "D.C." is an abbreviation
    re.MULTILINE,
)
_OPENS_LINE = re.compile(r"(?:^|\n|\t| {2,})[ \t]*$")
_INSTRUCTION = re.compile(
    r"(?:^|(?<=[\s.!?]))"
    r"(?:(?:please|now|only|just|directly)\W+(?:\w+\W+){0,2}?)?"
    r"(?:answer|respond|reply|select|choose|pick|give|provide|output|return|write|state|indicate)\b"
    r"[^\n]{0,120}?\b(?:letters?|options?|choices?|answers?)\b",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWER_CUE = re.compile(r"\n\s*(?:the\s+)?(?:best\s+|correct\s+)?answer\s*(?:is)?\s*:\s*\Z", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_HEADING = re.compile(r"\n\s*(?:options|choices)\s*:?\s*\Z", re.IGNORECASE)
_LEAD = re.compile(r"\A\s*(?:<video>\s*)?(?:question\s*:\s*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Parts:
    """One question text, taken apart; `options` is empty where the text holds no lettered options."""

    stem: str
    options: Mapping[str, str]
    instruction: str


@dataclass(frozen=True)
class _Marker:
    letter: str
    style: str
    start: int
    end: int
    opens_line: bool


def split_question(text: str) -> Parts:
    """Stem, options {letter: text} and instruction of `text`; white space is normalised inside each part.

    At least two options are needed to tell labels from initials: a text with fewer comes back as a bare stem.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    chain = _find_chain(text)
    if not chain:
        stem, instruction = _cut_instruction(text)
        return Parts(_clean_stem(stem), {}, _squeeze(instruction))
    stem, early = _cut_instruction(text[: chain[0].start])
    bodies = [text[here.end : there.start] for here, there in pairwise(chain)]
    last, late = _cut_instruction(text[chain[-1].end :], paragraphs=True)
    options = {m.letter: _squeeze(body) for m, body in zip(chain, [*bodies, last], strict=True)}
    return Parts(_clean_stem(stem), options, _squeeze(f"{early} {late}"))


def _find_chain(text: str) -> list[_Marker]:
    """The labels A, B, … of the options; empty where there are fewer than two."""
    markers = [_as_marker(text, match) for match in islice(_MARKER.finditer(text), MAX_MARKERS)]
    end = _options_end(text)
    on_lines = _best_chain(text, [m for m in markers if m.opens_line], end)
    anywhere = _best_chain(text, markers, end)
    # "C. John D. Smith" on a line of its own is one option with an initial in it, but two further labels in
    # alphabetical order are no accident: then the options share a line.
    if len(on_lines) >= 2 and len(anywhere) < len(on_lines) + 2:
        return on_lines
    return anywhere if len(anywhere) >= 2 else []


def _as_marker(text: str, match: re.Match[str]) -> _Marker:
    letter = match["both"] or match["one"]
    style = "()" if match["both"] else {"．": ".", "）": ")", "：": ":"}.get(match["mark"], match["mark"])
    opens_line = _OPENS_LINE.search(text[max(0, match.start() - 20) : match.start()]) is not None
    return _Marker(letter, style, match.start(), match.end(), opens_line)


def _options_end(text: str) -> int:
    """Where the closing instruction begins, so that it does not count as length of the last option."""
    found = [match.start() for match in _INSTRUCTION.finditer(text)]
    return found[-1] if found else len(text)


def _best_chain(text: str, markers: Sequence[_Marker], end: int) -> list[_Marker]:
    """The longest chain A, B, … of one style; among equals the one with the most even options."""
    best: list[_Marker] = []
    best_spread = 0.0
    for style in dict.fromkeys(m.style for m in markers):
        alike = [m for m in markers if m.style == style]
        for first in (m for m in alike if m.letter == "A"):
            chain = _chain_from(text, first, alike, end)
            spread = pvariance(_lengths(text, chain, end))
            if len(chain) > len(best) or (len(chain) == len(best) and spread < best_spread):
                best, best_spread = chain, spread
    return best


def _lengths(text: str, chain: Sequence[_Marker], end: int) -> list[int]:
    ends = [m.start for m in chain[1:]] + [max(end, chain[-1].end)]
    return [len(text[m.end : stop].strip()) for m, stop in zip(chain, ends, strict=True)]


def _chain_from(text: str, first: _Marker, markers: Sequence[_Marker], end: int) -> list[_Marker]:
    """The longest chain from `first` on with no option empty; ties: least sum of squared lengths."""
    filled = len(text.rstrip())
    reached: dict[_Marker, tuple[float, list[_Marker]]] = {first: (0.0, [first])}
    longest = reached
    for letter in LETTERS[1:]:
        step: dict[_Marker, tuple[float, list[_Marker]]] = {}
        for there in (m for m in markers if m.letter == letter):
            ways = [
                (cost + len(text[here.end : there.start].strip()) ** 2, [*chain, there])
                for here, (cost, chain) in reached.items()
                if text[here.end : there.start].strip()
            ]
            if ways and there.end < filled:
                step[there] = min(ways, key=lambda way: way[0])
        if not step:
            break
        reached = longest = step
    closed = [(cost + max(0, end - chain[-1].end) ** 2, chain) for cost, chain in longest.values()]
    return min(closed, key=lambda way: way[0])[1]


def _cut_instruction(text: str, paragraphs: bool = False) -> tuple[str, str]:
    """`text` in two: what belongs to it, and the instruction to the answerer that closes it.

    With `paragraphs`, whatever follows an empty line counts as instruction too (used after the last option).
    """
    cuts = [m.start() for m in [_ANSWER_CUE.search(text)] if m]
    cuts += [m.start() for m in _INSTRUCTION.finditer(text)][:1] if paragraphs else _own_line(text)
    if paragraphs:
        cuts += [m.start() for m in [_PARAGRAPH.search(text)] if m]
    cuts = [cut for cut in cuts if text[:cut].strip()]
    return (text[: min(cuts)], text[min(cuts) :]) if cuts else (text, "")


def _own_line(text: str) -> list[int]:
    """Start of an instruction that has the last line of `text` to itself: a stem may speak of answers as
    well.
    """
    start = text.rstrip().rfind("\n") + 1
    return [start] if start and _INSTRUCTION.match(text[start:].lstrip()) else []


def _clean_stem(stem: str) -> str:
    return _squeeze(_HEADING.sub("", _LEAD.sub("", stem)))


def _squeeze(text: str) -> str:
    return " ".join(text.split())
