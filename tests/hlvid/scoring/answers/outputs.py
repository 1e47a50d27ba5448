"""Labelled outputs of models, made by a seeded program: families of replies x ways to write a list of options.

Example::

    for case in generated("seen"):            # while rules are changed
        case.family, case.text, case.options, case.letter
    generated("held out")                     # other templates of the same families: looked at by the score alone

A template names the letter meant {L} with its text {T}, another {O} with {U}, a third {P} with {V}; {LIST} is the
options written out, {LINES} the same, one a line. `seen.json` was there while rules were written; `held_out.json`
(with option sets of its own) was drawn from a grammar before the last failures were opened. After its first score its
own were opened, too: who changes rules next scores them on phrases of their own first.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Options = Mapping[str, str]

SETS: tuple[Options, ...] = (
    {"A": "DL3", "B": "DL5", "C": "DL8", "D": "DL6"},
    {"A": "the red car", "B": "the blue van", "C": "the green bus", "D": "the white truck"},
    {"A": "12:45", "B": "12:46", "C": "17:45", "D": "1:45"},
    {"A": "Hampden St", "B": "Hamden St", "C": "Hampton St", "D": "Camden St"},
    {"A": "A man opens the door", "B": "A woman opens it", "C": "He cannot open the door", "D": "Nobody is there"},
    {"A": "3", "B": "4", "C": "7", "D": "12"},
    {"A": "No parking", "B": "Stop", "C": "One way", "D": "Do not enter", "E": "Yield"},
    {"A": "She puts down the cup.", "B": "She picks up the phone.", "C": "She leaves the room.", "D": "She sits down."},
    {"A": "KLM 4471", "B": "KLN 4471", "C": "KLM 4417", "D": "KIM 4471"},
    {"A": "$3.49", "B": "$3.94", "C": "$4.39", "D": "$4.93"},
    {"A": "Left lane ends", "B": "Right lane ends", "C": "Merge left", "D": "Road closed ahead"},
    {"A": "Two", "B": "Three", "C": "Four", "D": "Five"},
    {"A": "As the light turned red", "B": "As a dog ran out", "C": "To let the bus pass", "D": "To read the map"},
    {"A": "Sunkist", "B": "Sunmaid", "C": "Sunrise", "D": "Sunset", "E": "Sundown"},
    {"A": "25 mph", "B": "35 mph", "C": "45 mph", "D": "55 mph"},
    {"A": "Gate B12", "B": "Gate B21", "C": "Gate D12", "D": "Gate C12"},
    {"A": "7QXR 204", "B": "7QXB 204", "C": "7OXR 204", "D": "7QXR 240"},
    {"A": "Maple Ave", "B": "Marple Ave", "C": "Maple Dr", "D": "Mable Ave"},
    {"A": "6:30", "B": "6:50", "C": "8:30", "D": "5:30"},
    {"A": "a yellow taxi", "B": "a grey van", "C": "a police car", "D": "a cyclist"},
    {"A": "SALE 40%", "B": "SALE 50%", "C": "SALE 60%", "D": "SALE 70%"},
    {"A": "8", "B": "3", "C": "9", "D": "6"},
)  # fmt: skip
ITEMS = ("{k}. {v}", "{k}) {v}", "({k}) {v}", "{k}: {v}", "{k} - {v}", "**{k}.** {v}", "[{k}] {v}", "{k} {v}",
         "- {k}. {v}", "Option {k}: {v}", "{k} = {v}", "**{k}** {v}", "* ({k}) {v}", "{k}.{v}")  # fmt: skip
JOINS = ("\n", ", ", " ", "; ", " | ", "\n\n", " / ")


@dataclass(frozen=True)
class Case:
    """One output: its family, the text, the options it chooses from and the letter meant, or None."""

    family: str
    text: str
    options: Options
    letter: str | None


def generated(half: str, seed: int = 20261127) -> list[Case]:
    """The "seen" or the "held out" outputs: the same for everybody, no text twice."""
    file = Path(__file__).parent / f"{half.replace(' ', '_')}.json"
    templates = json.loads(file.read_text(encoding="utf-8"))
    sets = templates.pop("sets", SETS)
    found: dict[tuple[str, tuple[str, ...]], Case] = {}
    for case in _all(templates, sets, random.Random(seed)):
        found.setdefault((case.text, tuple(case.options.values())), case)
    return list(found.values())


def _all(
    templates: Mapping[str, Mapping[str, list[str]]], sets: Sequence[Options], draw: random.Random
) -> Iterator[Case]:
    for kind, families in templates.items():  # "meant": the letter is {L}; "none": there is none
        for family, own in families.items():
            for template in own:
                for _ in range(_times(template)):
                    yield _case(family, template, draw.choice(sets), kind == "meant", draw)


def _times(template: str) -> int:
    if "LIST" in template or "LINES" in template:
        return 9
    return 7 if "CROSS" in template else 4 if "{" in template else 1


def _case(family: str, template: str, options: Options, meant: bool, draw: random.Random) -> Case:
    right, other, third = draw.sample(sorted(options), 3)
    if "{CROSS" in template:
        text = _verdicts(template, options, right, draw)
    else:
        item = draw.choice(ITEMS)
        text = template.format(
            L=right, T=_in_running_text(options[right]), O=other, U=_in_running_text(options[other]),
            P=third, V=_in_running_text(options[third]),
            LIST=_listed(options, item, draw.choice(JOINS)), LINES=_listed(options, item, "\n"),
        )  # fmt: skip
    return Case(family, text, options, right if meant else None)


def _listed(options: Options, item: str, join: str) -> str:
    return join.join(item.format(k=key, v=value) for key, value in options.items())


def _verdicts(template: str, options: Options, right: str, draw: random.Random) -> str:
    wrong, good = template[len("{CROSS:") : -1].split("|")
    item = draw.choice(ITEMS[:7]) if draw.random() < 0.5 else "{k}"
    return "\n".join(
        f"{item.format(k=key, v=value.rstrip('.'))}{'' if mark[0] == ':' else ' '}{mark.strip()}"
        for key, value in options.items()
        for mark in [good if key == right else wrong]
    )


def _in_running_text(text: str) -> str:
    return text.rstrip(".")
