"""The second run: the language model learns to spell and to answer, on characters that it is told.

First lines and the same lines spelled in another order, from which copying comes within minutes; then questions.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from autogaze.training.reading.config import Lesson, ReadingConfig
from autogaze.training.reading.initial import EMBEDDING
from autogaze.training.reading.part import Found, Part
from autogaze.training.reading.questions import ALPHABET, classes, options, pick
from autogaze.training.reading.reader import Reader
from autogaze.training.reading.texts import Row, collate, echo, question, study

WIDTHS = {"I": 0.6, "1": 0.6, "M": 1.25, "W": 1.25, " ": 0.8}
"""Of characters, beside the others'."""
AGAIN = 0.7
"""Share of a picture's lines that a frame shows; the asked one is in the first."""

Letters = list[tuple[int, int]]
"""Of patches one after another: first and second character, 0 for none."""


class Language(Part):
    """Lines spelled again and questions, lesson by lesson; held out are questions of the last one."""

    teaches: ClassVar = ("model.llm", "table", "flag")

    def __init__(self, config: ReadingConfig, reader: Reader) -> None:
        assert config.language is not None
        super().__init__(config, reader)
        self.settings = config.language

    def __call__(self, micro: int, draw: np.random.Generator) -> Found:
        step = micro // self.config.accumulate
        lesson = self.settings.lesson(step / self.config.steps)
        coin = np.random.default_rng([self.config.seed, 3, step])  # all processes have the same figures
        return self._study(lesson, draw, coin.random() < lesson.echoes)

    def held_out(self, draw: np.random.Generator) -> Mapping[str, float]:
        return self._study(self.settings.lessons[-1], draw, False)[1]

    def _study(self, lesson: Lesson, draw: np.random.Generator, spelled: bool) -> Found:
        lines, frames = int(draw.integers(1, lesson.lines + 1)), int(draw.integers(1, lesson.frames + 1))
        rows = [
            echoed(lesson, draw) if spelled else asked(lesson, lines, frames, draw)
            for _ in range(self.config.batch)
        ]
        batch = collate(rows, draw, lesson.gap).to(self.config.device)
        seen = self.reader.tell(batch.seen)
        blur = torch.from_numpy(draw.standard_normal(tuple(seen.shape), np.float32)).to(seen.device)
        with self.autocast():
            loss, figures = study(self.reader, seen + lesson.blur * EMBEDDING * blur, batch)
        return loss, {name: float(value) for name, value in figures.items()}


def asked(lesson: Lesson, lines: int, frames: int, draw: np.random.Generator) -> Row:
    """Lines in frames, and a question about one of them."""
    four, right = options(draw), int(draw.integers(4))
    texts = [four[right]] + [pick(draw, options(draw)) for _ in range(lines - 1)]
    seen: Letters = []
    for frame in range(frames):
        for n in draw.permutation(lines):
            if draw.random() < AGAIN or (n == 0 and frame == 0):
                seen += laid(texts[n], lesson, draw)
    return Row(torch.tensor(seen), [question(four, right, draw)])


def echoed(lesson: Lesson, draw: np.random.Generator) -> Row:
    """Lines, and the same lines spelled in another order; half of them any characters."""
    texts, seen = list[str](), Letters()
    for _ in range(lesson.lines):
        text = pick(draw, options(draw))
        if draw.random() < 0.5:
            text = "".join(pick(draw, ALPHABET[1:]) if c != " " and draw.random() < 0.5 else c for c in text)
        texts.append(text)
        seen += laid(text, lesson, draw)
    return Row(torch.tensor(seen), [echo([texts[n] for n in draw.permutation(len(texts))])])


def laid(text: str, lesson: Lesson, draw: np.random.Generator) -> Letters:
    """A line's patches: a character in each, or as on a picture."""
    if draw.random() >= lesson.hard:
        return [(character, 0) for character in classes(text)]
    free = int(draw.integers(0, 20)) if draw.random() < lesson.hard / 2 else 0
    return _as_seen(classes(text), lesson.noise, draw) + [(0, 0)] * free


def _as_seen(text: Sequence[int], noise: float, draw: np.random.Generator) -> Letters:
    """A line as patches show it: of any width, cut by a tile, some of it misread, often with a row of nothing below."""
    patches: dict[int, list[int]] = {}
    wide, at = math.exp(draw.uniform(math.log(0.65), math.log(1.6))), draw.random()
    edge = int(draw.integers(1, len(text))) if draw.random() < 0.35 else -1
    for n, character in enumerate(text):
        if n == edge:
            at = math.floor(at) + 2 + int(draw.integers(0, 30))
        width = wide * WIDTHS.get(ALPHABET[character], 1)
        middle, at = at + width / 2, at + width
        if character and draw.random() < noise:
            character = 0 if draw.random() < 0.4 else int(draw.integers(1, len(ALPHABET)))
        if character and len(there := patches.setdefault(int(middle), [])) < 2:
            there.append(character)
    count = int(at) + 1 + int(draw.integers(0, 3))
    line = [_pair(patches.get(n, [])) for n in range(count)]
    below = [(0, 0)] * (count if draw.random() < 0.5 else 0)
    return [(0, 0)] * int(draw.integers(0, 2)) + line + below


def _pair(found: Sequence[int]) -> tuple[int, int]:
    first, second = (*found, 0, 0)[:2]
    return first, second
