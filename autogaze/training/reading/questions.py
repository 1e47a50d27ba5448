"""Questions of HLVid-Mini's kind, in other words: four texts that look alike, one of which is on a board.

Any of the four can be the right one, and another one each time: nothing but the pixels tells. No word and no draw comes
from `hlvid.mini`; the rule for options (one look-alike place, or two) is its rule.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

ALPHABET = " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
"""Class 0, the space, is "no character"."""
CHARACTERS = 12
"""Most of a text."""
LETTERS = "ABCD"
ALIKE = (
    *("3568", "38", "56", "68", "17", "49", "EF", "CG", "MN"),
    *("PR", "UV", "BR", "KX", "HN", "BD", "OQ", "2Z"),
)
STEMS = (
    "What is written in {0} on the {1} {2}?",
    "What can be read in {0} letters on the {1} {2}?",
    "Which {0} text does the {1} {2} show?",
    "Read the {1} {2}.",
)
COLOURS = ("white", "black", "yellow", "red", "green", "blue", "brown", "orange", "purple", "grey", "pink")
THINGS = (
    *("road sign", "billboard", "shop sign", "banner", "parking sign", "label", "door"),
    *("box", "jar", "book", "bag", "crate", "poster"),
)
ASKS = ("Please answer directly with the letter of the correct answer.", "Answer with the letter.")


def stem(draw: np.random.Generator) -> str:
    """What stands before the options."""
    words = (pick(draw, COLOURS), pick(draw, COLOURS), pick(draw, THINGS))
    return "\n\n" + STEMS[0 if draw.random() < 0.4 else draw.integers(len(STEMS))].format(*words)


def ask(draw: np.random.Generator) -> str:
    """What stands behind them."""
    return f"\n {ASKS[draw.random() < 0.2]}"


def options(draw: np.random.Generator) -> list[str]:
    """Four texts that differ in one place or in two, each as far from the others as HLVid-Mini's are."""
    word = "".join(
        pick(draw, "BCDFGHJKLMNPRSTVWXZ" if n % 2 else "AEIOUYRLTSBCDFGHMNP")
        for n in range(draw.integers(3, 8))
    )
    if draw.random() < 0.2:
        word = "".join(pick(draw, ALPHABET[1:27]) for _ in word)
    code = "".join(pick(draw, "35683568356814792035") for _ in range(3 if len(word) < 5 else 2))
    code += pick(draw, "BCDEFGHKMNPRUVXAQZ") if draw.random() < 0.4 else ""
    pairs = [pair for pair in ALIKE if len(pair) == 2]
    paired = [n for n, character in enumerate(code) if any(character in pair for pair in pairs)]
    if len(paired) >= 2 and draw.random() < 0.5:
        places = sorted(draw.permutation(paired)[:2].tolist())
        sets = [pick(draw, [pair for pair in pairs if code[n] in pair]) for n in places]
        codes = [_put(_put(code, places[0], a), places[1], b) for a, b in product(*sets)]
    else:
        place = int(draw.integers(sum(character.isdigit() for character in code)))
        kinds = ALIKE[0] if draw.random() < 0.8 else "".join(draw.permutation(list("0123456789"))[:4])
        codes = [_put(code, place, character) for character in kinds]
    return [f"{word} {codes[n]}" for n in draw.permutation(4)]


def loose(draw: np.random.Generator) -> str:
    """A text that nobody is asked about: any characters, or any letters and a code."""
    if draw.random() < 0.3:
        return "".join(pick(draw, ALPHABET) for _ in range(draw.integers(4, CHARACTERS + 1))).strip() or "A"
    word = "".join(pick(draw, ALPHABET[1:27]) for _ in range(draw.integers(3, 8)))
    code = "".join(pick(draw, "0123456789" if draw.random() < 0.3 else "3568") for _ in range(2))
    return f"{word} {code}" + (pick(draw, ALPHABET[1:]) if draw.random() < 0.5 else "")


def classes(text: str) -> list[int]:
    """Of each character, its place in `ALPHABET`."""
    return [ALPHABET.index(character) for character in text]


def pick(draw: np.random.Generator, items: Sequence[str]) -> str:
    return items[int(draw.integers(len(items)))]


def _put(text: str, place: int, character: str) -> str:
    return text[:place] + character + text[place + 1 :]
