"""Takes one question text apart: stem, lettered options, closing instruction.

The benchmark keeps everything in one field and spaces it unevenly::

    split_question("What does the sign say?\\n A. Hampden St\\nB. Hampden Ave\\nC. HampdenBlvd\\n"
                   "Please answer directly with the letter of the correct answer.")
    # Parts(stem="What does the sign say?",
    #       options={"A": "Hampden St", "B": "Hampden Ave", "C": "HampdenBlvd"},
    #       instruction="Please answer directly with the letter of the correct answer.", …)

The parts serve parsing and people; a model is asked the text as it is. `Parts.joined` gives the text back up to
white space.

A letter with a dot is not always a label: options such as "B. Smith" or "St. A. B." hold such letters too. So
the labels are looked for as one chain A, B, C, … in one style ("A.", "A)", "(A)", "A:"), first among letters
that open a line, else anywhere. Among equally long chains the one with the most even option lengths wins,
because the options of a question are written alike.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from statistics import pvariance

from hlvid.dataset.question import INSTRUCTION

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
_PUBLISHED = re.compile(r"\s+".join(map(re.escape, INSTRUCTION.split())) + r"\s*\Z")


@dataclass(frozen=True)
class Parts:
    """One question text, taken apart; `options` is empty where the text holds no lettered options.

    `labels` are the options' labels as written ("A.", "(B)"); `lead`, `heading` and `early` stand around the
    stem: "Question:", "Options:", an instruction in front of the options.
    """

    stem: str
    options: Mapping[str, str]
    instruction: str
    labels: Mapping[str, str] = field(default_factory=dict)
    lead: str = ""
    heading: str = ""
    early: str = ""

    def joined(self) -> str:
        """All parts in order; equal to the text up to white space, or the text was not taken apart rightly."""
        options = [f"{self.labels[letter]} {text}" for letter, text in self.options.items()]
        return " ".join([self.lead, self.stem, self.heading, self.early, *options, self.instruction])


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
    head, early = _cut_own_line(text[: chain[0].start] if chain else text)
    lead, heading = _LEAD.search(head), _HEADING.search(head)
    begin, end = (lead.end() if lead else 0), (heading.start() if heading else len(head))
    bare = Parts(
        stem=squeeze(head[begin : max(begin, end)]),
        options={},
        instruction="" if chain else squeeze(early),
        lead=squeeze(head[:begin]),
        heading=squeeze(head[max(begin, end) :]),
        early=squeeze(early) if chain else "",
    )
    if not chain:
        return bare
    bodies = [text[here.end : there.start] for here, there in pairwise(chain)]
    last, late = _cut_last_option(text[chain[-1].end :])
    options = {m.letter: squeeze(body) for m, body in zip(chain, [*bodies, last], strict=True)}
    labels = {m.letter: text[m.start : m.end] for m in chain}
    return replace(bare, options=options, labels=labels, instruction=squeeze(late))


def squeeze(text: str) -> str:
    """`text` with every run of white space made one space, and none around it."""
    return " ".join(text.split())


def same_but_for_space(one: str, other: str) -> bool:
    """Whether two texts hold the same characters in the same order, white space left out."""
    return "".join(one.split()) == "".join(other.split())


def stray_label(text: str, parts: Parts) -> str:
    """A line that seems to be the next option under a broken label ("D .6", "D 6"), squeezed; "" for none."""
    if not 0 < len(parts.options) < len(LETTERS):
        return ""
    letter = LETTERS[len(parts.options)]
    found = re.search(rf"^[ \t]*[(\[]?{letter}(?:[ \t]+[.):\]]|[ \t]+(?=\S)).*$", text, re.MULTILINE)
    return squeeze(found[0]) if found else ""


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


def _cut_last_option(text: str) -> tuple[str, str]:
    """The last option, and the instruction to the answerer that closes the question.

    Signs and screens say "Please select an option" as well. So the published instruction counts before all, then
    what has lines of its own, and inside a line only whole sentences at the end.
    """
    if (match := _PUBLISHED.search(text)) and text[: match.start()].strip():
        cuts = [match.start()]
    else:
        cuts = [m.start() for m in [_ANSWER_CUE.search(text)] if m] + _own_lines(text)
    cuts += [m.start() for m in [_PARAGRAPH.search(text)] if m]
    cuts = [cut for cut in cuts if text[:cut].strip()] or _closing_sentences(text)
    return (text[: min(cuts)], text[min(cuts) :]) if cuts else (text, "")


def _own_lines(text: str) -> list[int]:
    """Starts of the lines, but for the first, that begin with an instruction."""
    breaks = [match.end() for match in re.finditer(r"\n[ \t]*", text)]
    return [start for start in breaks if _INSTRUCTION.match(text, start)]


def _closing_sentences(text: str) -> list[int]:
    """Start of the instructions that end the only line: sentences of their own, one after the other."""
    found: list[int] = []
    for match in reversed([m for m in _INSTRUCTION.finditer(text) if _is_sentence(m[0])]):
        before, between = text[: match.start()].strip(), text[match.start() : found[0] if found else None]
        if not before or (found and not between.rstrip().endswith((".", "!", "?", ":"))):
            break
        found = [match.start()]
    return found


def _is_sentence(words: str) -> bool:
    """Whether it is written like a sentence; signs write "Choose Your Option" and "PRESS ANY"."""
    return words[0].isupper() and not words.istitle() and not words.isupper()


def _cut_own_line(text: str) -> tuple[str, str]:
    """What stands before the options in two: the stem, and an instruction that has the last line to itself.

    Nothing else counts there: a stem may speak of answers as well.
    """
    cue = _ANSWER_CUE.search(text)
    start = text.rstrip().rfind("\n") + 1
    cuts = [cue.start()] if cue else []
    cuts += [start] if start and _INSTRUCTION.match(text[start:].lstrip()) else []
    cuts = [cut for cut in cuts if text[:cut].strip()]
    return (text[: min(cuts)], text[min(cuts) :]) if cuts else (text, "")
