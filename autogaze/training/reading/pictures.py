"""Generated pictures with signs whose every character is known: squares to learn characters on, wide ones to be asked
about. What they are made of is `text_grounds` and `text_signs`."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from autogaze.training.gather import gather
from autogaze.training.reading.questions import CHARACTERS, classes, loose, options, pick
from autogaze.training.text_grounds import ground
from autogaze.training.text_signs import Line, put_sign
from autogaze.training.text_tiles import SQUARE, recorded

TOGETHER = 500
"""Pictures that share their grounds."""
GROUNDS = 80
PLAIN = 0.55
"""Share of signs in the plain bold font, as road signs have it."""


@dataclass(frozen=True)
class Kind:
    """height, width: px. caps: ranges of the height of capitals, by their shares. asked: share of lines that are one of
    four options. signs: least and most; bare: plates without text, one of these numbers. lines: kept at most.
    drawn: px of the width that it is drawn in and then squeezed from."""

    height: int
    width: int
    caps: tuple[tuple[float, float], ...]
    shares: tuple[float, ...]
    asked: float
    signs: tuple[int, int]
    bare: tuple[int, ...]
    lines: int
    drawn: int = 0


SQUARES = Kind(SQUARE, SQUARE, ((5.6, 13.5), (11.0, 75.0)), (0.55, 0.45), 0.5, (4, 10), (0, 0, 0, 0, 1), 8)
WIDE = Kind(
    448,
    1120,
    ((5.9, 10.0), (11.5, 20.0), (21.0, 38.0), (42.0, 60.0)),
    (0.2, 0.18, 0.25, 0.37),
    1.0,
    (4, 13),
    (1, 2),
    14,
)
FRAMES = Kind(448, 448, ((1.2, 6.0), (9.0, 14.0)), (0.35, 0.65), 1.0, (6, 16), (1, 2), 14, 796)
"""Whole frames of 16:9 as a square: of lettering of 54 px at 4K capitals are 11 px high, and half as wide as else."""


@dataclass(frozen=True)
class Pictures:
    """N pictures with up to L lines. pixels: uint8 (N, H, W, 3). lines: float32 (N, L, 5), left, top, right, bottom and
    height of capitals in px, zeros where there are fewer. text: int8 (N, L, 12), classes of `ALPHABET`, -1 behind the
    end; ends: float32, where each character ends, px from the line's left. options: int8 (N, L, 4, 12), the texts one
    of which a line says, -1 where it says another."""

    pixels: NDArray[np.uint8]
    lines: NDArray[np.float32]
    text: NDArray[np.int8]
    ends: NDArray[np.float32]
    options: NDArray[np.int8]


def pictures(seeds: range, kind: Kind, processes: int) -> Pictures:
    """One for each seed, by several processes."""
    return gather(partial(_some, kind=kind), seeds, TOGETHER, processes)


def _some(seeds: range, kind: Kind) -> Pictures:
    """Those of `TOGETHER` seeds or fewer."""
    draw, shape = np.random.default_rng([seeds.start, 77]), (len(seeds), kind.lines)
    grounds = np.stack([np.asarray(ground(draw, SQUARE)) for _ in range(min(GROUNDS, 1 + len(seeds)))])
    made = Pictures(
        np.empty((len(seeds), kind.height, kind.width, 3), np.uint8),
        np.zeros((*shape, 5), np.float32),
        np.full((*shape, CHARACTERS), -1, np.int8),
        np.zeros((*shape, CHARACTERS), np.float32),
        np.full((*shape, 4, CHARACTERS), -1, np.int8),
    )
    for n, seed in enumerate(seeds):
        made.pixels[n], lines, known = picture(seed, kind, grounds)
        for m, line in enumerate(lines[: kind.lines]):
            made.lines[n, m] = (*line.box, line.cap)
            made.text[n, m, : len(line.text)] = classes(line.text)
            made.ends[n, m, : len(line.text)] = line.ends
            for k, option in enumerate(known.get(line.text, ())):
                made.options[n, m, k, : len(option)] = classes(option)
    return made


def picture(
    seed: int, kind: Kind, grounds: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], list[Line], dict[str, list[str]]]:
    """Pixels, lines, and the options of those texts that are one of four."""
    if kind.drawn:
        kind, width = replace(kind, width=kind.drawn, drawn=0), kind.width
        pixels, lines, known = picture(seed, kind, grounds)
        small = Image.fromarray(pixels).resize((width, kind.height), Image.Resampling.BOX)
        return np.asarray(small), [_squeezed(line, width / kind.width) for line in lines], known
    draw, known = np.random.default_rng([seed, 78]), dict[str, list[str]]()

    def say(draw: np.random.Generator) -> str:
        if draw.random() >= kind.asked:
            return loose(draw)
        four = options(draw)
        text = pick(draw, four)
        known[text] = four
        return text

    shown, taken, lines = _behind(draw, kind, grounds), list[NDArray[np.float64]](), list[Line]()
    for _ in range(int(draw.choice(kind.bare))):
        put_sign(shown, draw, taken, written=False)
    for _ in range(int(draw.integers(kind.signs[0], kind.signs[1] + 1))):
        caps = kind.caps[draw.choice(len(kind.caps), p=kind.shares)]
        lines += put_sign(shown, draw, taken, caps=caps, say=say, plain=PLAIN)
    return recorded(np.asarray(shown), draw), lines, known


def _squeezed(line: Line, by: float) -> Line:
    left, top, right, bottom = line.box
    return replace(line, box=(left * by, top, right * by, bottom), ends=tuple(end * by for end in line.ends))


def _behind(draw: np.random.Generator, kind: Kind, grounds: NDArray[np.uint8]) -> Image.Image:
    """Grounds side by side, as many as a picture needs, each turned, mirrored and in other colours."""
    rows = []
    for _ in range(-(-kind.height // SQUARE)):
        row = []
        for _ in range(-(-kind.width // SQUARE)):
            one = np.rot90(grounds[draw.integers(len(grounds))], int(draw.integers(4)))
            one = one[:, ::-1] if draw.random() < 0.5 else one
            row.append(one[..., draw.permutation(3)] if draw.random() < 0.5 else one)
        rows.append(np.concatenate(row, 1))
    whole = np.concatenate(rows)
    top, left = (whole.shape[0] - kind.height) // 2, (whole.shape[1] - kind.width) // 2
    return Image.fromarray(np.ascontiguousarray(whole[top : top + kind.height, left : left + kind.width]))
