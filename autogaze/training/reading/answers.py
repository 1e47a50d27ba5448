"""The third run: projector and language model learn to answer, on what the encoder makes of pictures.

At first the projector alone learns to say what characters are told as; then both learn, and the encoder stays.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from autogaze.training.config import TrainingError
from autogaze.training.processes import Team
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.reading.looks import Looked, looked
from autogaze.training.reading.part import Found, Part, own_seeds
from autogaze.training.reading.pictures import FRAMES, WIDE, pictures
from autogaze.training.reading.questions import ALPHABET
from autogaze.training.reading.reader import Reader
from autogaze.training.reading.texts import Batch, Row, Text, collate, echo, question, study
from autogaze.training.text_tiles import HELD_OUT

CHUNK = 1000
"""Pictures in memory at a time, 1.5 MB each."""
BLANK = 0.3
"""Weight of patches without a character, beside those with one."""
NOISE, BLUR = 0.06, 0.4
"""Of rows that are told: share of characters told wrongly, and noise, in their standard deviation."""


class Answers(Part):
    """Questions and echoes of pictures; held out are others, also with their questions exchanged."""

    teaches: ClassVar = ("model.projector", "model.llm", "flag")

    def __init__(self, config: ReadingConfig, reader: Reader, team: Team) -> None:
        assert config.answers is not None
        super().__init__(config, reader)
        self.settings = config.answers
        self.known = self._looked(own_seeds(config, self.settings.pictures, team))
        self.held = self._looked(range(HELD_OUT, HELD_OUT + config.held_out))

    def __call__(self, micro: int, draw: np.random.Generator) -> Found:
        rows, letters = self._rows(self.known, draw)
        if micro // self.config.accumulate < self.settings.alone * self.config.steps:
            return self._named(rows, letters, draw)
        return self._study(rows, letters, draw, self.settings.told)

    def held_out(self, draw: np.random.Generator) -> Mapping[str, float]:
        rows, letters = self._rows(self.held, draw)
        own = self._study(rows, letters, draw)[1]
        others = [replace(other, texts=row.texts) for row, other in pairwise([*rows, rows[0]])]
        swapped = self._study(others, letters[1:] + letters[:1], draw)[1]
        return {**own, "options with pictures swapped": swapped["options"]}

    def _looked(self, seeds: range) -> list[Looked]:
        found = list[Looked]()
        for n in range(0, len(seeds), CHUNK):
            some = pictures(
                seeds[n : n + CHUNK], FRAMES if self.reader.view.whole else WIDE, self.config.processes
            )
            found += looked(some, self.reader, self.settings.looks, seeds.start + n)
        if not found:
            raise TrainingError(f"answers.pictures {len(seeds)}: none with a line to ask about; draw more")
        return found

    def _rows(self, known: Sequence[Looked], draw: np.random.Generator) -> tuple[list[Row], list[Tensor]]:
        many = int(draw.integers(1, self.settings.seen + 1))
        again, whole = int(draw.integers(0, 2 * many + 1)), draw.random() < self.settings.all
        drawn = [self._row(known, many, again, whole, draw) for _ in range(self.config.batch)]
        return [row for row, _ in drawn], [letters for _, letters in drawn]

    def _row(
        self, known: Sequence[Looked], many: int, again: int, whole: bool, draw: np.random.Generator
    ) -> tuple[Row, Tensor]:
        """Some pictures, some of them again, in any order, and texts about them; their letters."""
        chosen = draw.integers(0, len(known), many)
        order = draw.permutation(np.concatenate([chosen, draw.choice(chosen, again)]))
        looks = [known[n].looks[draw.integers(len(known[n].looks))] for n in order]
        texts = self._texts([ask for n in chosen for ask in known[n].asks], draw)
        features, letters = (torch.cat(parts) for parts in zip(*looks, strict=True))
        often = [math.exp(draw.uniform(0, math.log(self.settings.often))) for _ in looks]
        times = torch.tensor(often).repeat_interleave(torch.tensor([len(one) for one, _ in looks]))
        kept = torch.ones(len(letters), dtype=torch.bool) if whole else self._kept(letters, draw)
        blank = (letters == 0).all(-1)
        stand = math.exp(draw.uniform(*np.log(self.settings.blank)))
        times[blank] = max(1.0, stand / max(1, int((blank & kept).sum())))
        places = torch.arange(len(letters))
        return Row(features[kept].float(), texts, times[kept], places[kept]), letters[kept].long()

    def _kept(self, letters: Tensor, draw: np.random.Generator) -> Tensor:
        """Tokens with a character, often those beside one, and some of the others, which then stand for many."""
        there = (letters != 0).any(-1)
        if draw.random() < 0.5:
            there = there | there.roll(1) | there.roll(-1)
        return there | torch.from_numpy(draw.random(len(letters)) < draw.uniform(*self.settings.kept))

    def _texts(self, asks: Sequence[tuple[list[str], int]], draw: np.random.Generator) -> list[Text]:
        texts = []
        for n in range(self.settings.questions + self.settings.echoes):
            options, right = asks[int(draw.integers(len(asks)))]
            asked = n < self.settings.questions
            texts.append(question(options, right, draw) if asked else echo([options[right]]))
        return texts

    def _study(
        self, rows: Sequence[Row], letters: Sequence[Tensor], draw: np.random.Generator, told: float = 0.0
    ) -> Found:
        """told: share of rows in which characters are told instead of seen."""
        batch, known = self._batch(rows, letters, draw)
        with self.autocast():
            seen = self.reader.model.projector(batch.seen)
            off = self._off(seen, known)
            if told:
                instead = torch.from_numpy(draw.random((len(rows), 1, 1)) < told).to(seen.device)
                seen = torch.where(instead, self._told(known, draw), seen)
            loss, figures = study(self.reader, seen, batch)
        shares = {name: float(value) for name, value in figures.items()}
        return loss + self.settings.naming * off, {"off": off.item(), **shares}

    def _named(self, rows: Sequence[Row], letters: Sequence[Tensor], draw: np.random.Generator) -> Found:
        """The projector's part alone."""
        batch, known = self._batch(rows, letters, draw)
        with self.autocast():
            off = self._off(self.reader.model.projector(batch.seen), known)
        return off, {"off": off.item()}

    def _batch(
        self, rows: Sequence[Row], letters: Sequence[Tensor], draw: np.random.Generator
    ) -> tuple[Batch, Tensor]:
        """A batch, and the letters of what is seen, long (B, V, 2), -1 where there is nothing."""
        known = torch.nn.utils.rnn.pad_sequence(list(letters), batch_first=True, padding_value=-1)
        device = self.config.device
        return collate(rows, draw, self.settings.gap).to(device), known.to(device)

    def _off(self, seen: Tensor, known: Tensor) -> Tensor:
        """How far tokens are from what their characters are told as, in its variance."""
        aim = self.reader.tell(known).detach().float()
        weight = torch.where(known[..., 0] > 0, 1.0, BLANK) * (known >= 0).all(-1)
        off = (seen.float() - aim).square().mean(-1) / aim.var()
        return (off * weight).sum() / weight.sum().clamp_min(1)

    def _told(self, known: Tensor, draw: np.random.Generator) -> Tensor:
        """These characters as the language model is told them, some of them wrong, all of them blurred."""
        shape = tuple(known.shape)
        wrong = torch.from_numpy(draw.random(shape) < NOISE).to(known.device) & (known > 0)
        other = torch.from_numpy(draw.integers(0, len(ALPHABET), shape)).to(known.device)
        told = self.reader.tell(torch.where(wrong, other, known)).detach()
        blur = torch.from_numpy(draw.standard_normal(tuple(told.shape), np.float32)).to(told.device)
        return told + BLUR * told.std() * blur
