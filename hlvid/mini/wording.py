"""What the texts say, which wrong options stand beside them, and what they are written on.

The four options of a question differ from each other in one or two look-alike characters, all in the same
places, so that no option stands out for a reader without the picture::

    wordings("av", 1, stream)[0]   # Wording(right="EXIT 38B", wrong=("EXIT 35B", "EXIT 36B", "EXIT 33B"))
    looks(KINDS["av"], 1, stream)[0].stem()  # "What does the white text on the green road sign say?"
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from hlvid.mini.chance import Stream
from hlvid.mini.texture import Colour

ALIKE = ("3568", "38", "56", "68", "17", "49", "EF", "CG", "MN", "PR", "UV", "BR", "KX", "HN", "BD")
DIGITS = "35683568356814792"
CODE_LETTERS = "BCDEFGHKMNPRUVX"

WORDS = {
    "av": (
        "EXIT ROUTE LANE ZONE PARK HILL LAKE MAPLE RIVER NORTH HARBOR UNION PINE BRIDGE DOCK GATE MILL "
        "CEDAR ABBEY CAMPUS FOREST DEPOT MARKET VALLEY CANAL TUNNEL CIRCLE GARDEN TOWER FERRY PLAZA BAY"
    ),
    "household": (
        "RICE FLOUR COCOA BEANS MINT SALT SUGAR OATS PASTA HONEY TEA COFFEE LENTIL PEPPER GINGER BASIL SOAP "
        "NUTMEG WALNUT RAISIN BARLEY SESAME CUMIN THYME ALMOND CEREAL BUTTER YEAST STARCH CLOVE MAIZE WAX"
    ),
}
KINDS = {
    "av": ("road sign", "billboard", "shop sign", "banner", "construction sign", "parking sign"),
    "household": ("box", "jar", "book", "bag", "crate", "poster"),
}

COLOURS: dict[str, Colour] = {
    "white": (240, 240, 236),
    "black": (26, 26, 28),
    "yellow": (246, 208, 36),
    "red": (172, 26, 34),
    "green": (0, 96, 60),
    "blue": (20, 66, 152),
    "brown": (96, 56, 30),
    "orange": (238, 136, 32),
    "purple": (88, 40, 124),
}
INKS = {
    "white": ("black", "red", "blue"),
    "black": ("white", "yellow"),
    "yellow": ("black",),
    "orange": ("black",),
    "red": ("white",),
    "green": ("white", "yellow"),
    "blue": ("white", "yellow"),
    "brown": ("white",),
    "purple": ("white",),
}


@dataclass(frozen=True)
class Look:
    """What a text is written on and in which colours; (ground, kind) is unique within a video."""

    ink: str
    ground: str
    kind: str

    def stem(self) -> str:
        """The question's wording."""
        return f"What does the {self.ink} text on the {self.ground} {self.kind} say?"


@dataclass(frozen=True)
class Wording:
    """The correct text and three wrong ones of the same length."""

    right: str
    wrong: tuple[str, str, str]


def looks(kinds: Sequence[str], count: int, stream: Stream) -> list[Look]:
    """`count` looks that differ in ground colour or kind; kinds and colours take turns."""
    grounds = stream.shuffled(tuple(INKS))
    pairs = [
        (grounds[(row + i) % len(grounds)], kinds[i % len(kinds)]) for row, i in _diagonals(kinds, grounds)
    ]
    return [Look(stream.choice(INKS[ground]), ground, kind) for ground, kind in pairs[:count]]


def _diagonals(kinds: Sequence[str], grounds: Sequence[str]) -> list[tuple[int, int]]:
    """(shift, step) such that all (ground, kind) pairs come once and neighbours differ in both."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for row, i in product(range(len(grounds)), range(len(kinds) * len(grounds))):
        found.setdefault(((row + i) % len(grounds), i % len(kinds)), (row, i))
    return list(found.values())


def wordings(category: str, count: int, stream: Stream) -> list[Wording]:
    """`count` texts with their wrong options; each begins with another word."""
    words = stream.shuffled(WORDS[category].split())[:count]
    return [_wording(word, stream) for word in words]


def _wording(word: str, stream: Stream) -> Wording:
    digits = [stream.choice(DIGITS) for _ in range(2 if len(word) > 4 else 3)]
    letter = stream.choice(CODE_LETTERS) if len(word) < 6 and stream.below(2) else ""
    code = "".join(digits) + letter
    variants = _quartet(code, stream)
    right, *wrong = (f"{word} {variant}" for variant in variants)
    return Wording(right, (wrong[0], wrong[1], wrong[2]))


def _quartet(code: str, stream: Stream) -> list[str]:
    """`code` made into four, in random order, that differ from each other in one place or in two.

    Either one place takes all four of 3, 5, 6, 8, or two places take both characters of a pair each. Both are
    symmetric: whichever of the four is right, the others lie around it in the same way.
    """
    pairs = [pair for pair in ALIKE if len(pair) == 2]
    paired = [i for i, c in enumerate(code) if any(c in pair for pair in pairs)]
    if len(paired) >= 2 and stream.below(2):
        first, second = sorted(stream.shuffled(paired)[:2])
        sets = [stream.choice([p for p in pairs if code[i] in p]) for i in (first, second)]
        variants = [_put(_put(code, first, a), second, b) for a, b in product(*sets)]
    else:
        place = stream.below(len([c for c in code if c.isdigit()]))
        variants = [_put(code, place, c) for c in ALIKE[0]]
    return stream.shuffled(variants)


def _put(text: str, place: int, character: str) -> str:
    return text[:place] + character + text[place + 1 :]
