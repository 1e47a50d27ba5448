"""`question`: fine structure in the colours that the question names. Query-aware: a gaze holds for one question.

Questions about text say what it looks like. A colour word before "text", "letters", … or after "in" is that of the
letters, another one that of what they are on; where the question names none, those of the options count, any of them. A
patch is worth its fine structure (`detail`) times how much of both colours lies in it. Without any colour word this is
`detail`. No network and no reading: it knows where such text may be, and not what it says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import SCALES
from autogaze.selectors.base import Layout
from autogaze.selectors.context import Context
from autogaze.selectors.detail import Detail
from autogaze.selectors.pyramid import at_scale, patch_mean, stitch, tokens, unstitch

HUES = {
    "red": (0.0, 25.0),
    "orange": (28.0, 18.0),
    "yellow": (52.0, 20.0),
    "green": (145.0, 50.0),
    "blue": (220.0, 45.0),
    "purple": (280.0, 35.0),
    "pink": (335.0, 30.0),
    "brown": (25.0, 25.0),
}
"""Hue of a colour word and how far from it the colour ends, in degrees; brown is a dark orange."""
SAME = {"gray": "grey", "silver": "grey", "violet": "purple", "golden": "yellow", "gold": "yellow"}
COLOURS = (*HUES, "white", "black", "grey", *SAME)
LETTERS = r"(?:text|letter(?:s|ing)?|words?|wording|number(?:s|ing)?|numerals?|digits?|characters?|writing|print|font)"
_COLOUR = rf"\b(?:light |dark |bright )?({'|'.join(COLOURS)})\b"
_THINGS = r"(?!\s+(?!(?:on|at|above|below|near|and)\b)\w)"  # "in red on the wall", not "in red cars"
_INK = re.compile(rf"{_COLOUR}(?=(?:[ -]\w+)?[ -]{LETTERS}\b)|\bin {_COLOUR}{_THINGS}", re.IGNORECASE)
_ANY = re.compile(_COLOUR, re.IGNORECASE)
_OPTION = re.compile(r"^\s*\(?[A-Z][.):]\s")

INK_SHARE = 0.1
"""Of a patch over lettering, what at least is ink."""


@dataclass(frozen=True)
class Wanted:
    """Colours of the letters and of what they are on; () where nothing is said."""

    ink: tuple[str, ...] = ()
    ground: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question(Detail):
    """floor: what a patch without the colours is worth of its structure, in [0, 1]."""

    floor: float = 0.02

    name: ClassVar[str] = "question"
    needs: ClassVar[tuple[str, ...]] = ("question",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.floor <= 1:
            raise ValueError(f"floor: {self.floor}, allowed: numbers in [0, 1]")

    def scores_in(self, clips: Tensor, layout: Layout | None, context: Context) -> Tensor:
        assert context.question is not None
        wanted, structure = read(context.question), self.scores(clips, layout)
        asked = [(names, share) for names, share in ((wanted.ink, INK_SHARE), (wanted.ground, 0.5)) if names]
        if not asked:
            return structure
        match = _match(clips, layout, asked)
        return structure * (self.floor + (1 - self.floor) * match)


def read(question: str) -> Wanted:
    """The colours that a question (its text, then its options a line each) names."""
    lines = question.splitlines()
    stem = "\n".join(line for line in lines if not _OPTION.match(line))
    inks = [_plain(one[1] or one[2]) for one in _INK.finditer(stem)]
    grounds = [name for one in _ANY.finditer(stem) if (name := _plain(one[1])) not in inks]
    if not inks and not grounds:
        options = " ".join(line for line in lines if _OPTION.match(line))
        grounds = [_plain(one[1]) for one in _ANY.finditer(options)]
    return Wanted(tuple(dict.fromkeys(inks)), tuple(dict.fromkeys(grounds)))


def likeness(clips: Tensor, colour: str) -> Tensor:
    """How much each pixel of float (B, T, 3, H, W) in [0, 1] is of a colour: float (B, T, H, W) in [0, 1]."""
    most, least = clips.amax(2), clips.amin(2)
    chroma = most - least
    vivid = chroma / most.clamp_min(1e-3)
    if colour == "white":
        return _ramp(least, 0.45, 0.7) * _ramp(-vivid, -0.35, -0.15)
    if colour == "black":
        return _ramp(-most, -0.35, -0.15)
    if colour == "grey":
        return _ramp(-vivid, -0.25, -0.1) * _ramp(most, 0.2, 0.35) * _ramp(-least, -0.85, -0.7)
    centre, reach = HUES[colour]
    away = (_hue(clips, most, chroma) - centre + 180).remainder(360).sub(180).abs()
    near = _ramp(-away, -reach, -reach / 2) * _ramp(vivid, 0.25, 0.45) * _ramp(most, 0.12, 0.25)
    if colour in ("brown", "orange"):  # of one hue, told apart by how light they are
        near = near * (_ramp(-most, -0.65, -0.5) if colour == "brown" else _ramp(most, 0.5, 0.65))
    return near


def _match(clips: Tensor, layout: Layout | None, asked: Sequence[tuple[tuple[str, ...], float]]) -> Tensor:
    """(B, T, 265) in [0, 1]: how much of all colours asked lies in a patch, or in its best neighbour.

    asked: colours of which any will do, and the share of the patch from which on there is enough of them.
    """
    found = [
        (torch.stack([likeness(clips, one) for one in names]).amax(0), enough) for names, enough in asked
    ]
    pictures = [(stitch(one, layout), enough) for one, enough in found]
    grids = []
    for scale in SCALES:
        shares = [patch_mean(at_scale(one, scale)).div(enough).clamp(max=1) for one, enough in pictures]
        grids.append(F.max_pool2d(torch.stack(shares).prod(0), 3, stride=1, padding=1))
    return tokens([unstitch(grid, layout) for grid in grids])


def _plain(word: str) -> str:
    return SAME.get(word.lower(), word.lower())


def _ramp(values: Tensor, start: float, end: float) -> Tensor:
    """0 up to `start`, 1 from `end` on."""
    return ((values - start) / (end - start)).clamp(0, 1)


def _hue(clips: Tensor, most: Tensor, chroma: Tensor) -> Tensor:
    """Degrees, 0 to 360; of greys 0."""
    red, green, blue = clips.unbind(2)
    span = chroma.clamp_min(1e-6)
    sixth = torch.where(
        most == red,
        ((green - blue) / span).remainder(6),
        torch.where(most == green, (blue - red) / span + 2, (red - green) / span + 4),
    )
    return torch.where(chroma > 1e-6, sixth * 60, torch.zeros_like(sixth))
