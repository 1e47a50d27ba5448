"""What the language model learns on: tokens seen, then texts about them; many texts at a time about the same tokens.

A text is a question, behind whose options the right one is flagged and which ends with its letter, or an echo: lines
spelled again. Texts see what is seen and themselves, not each other. A video has thousands of tokens where a row has
hundreds: some of a row's have positions left free before them, and one may stand for many, which attention then counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from autogaze.training.reading.questions import LETTERS, ask, stem
from autogaze.training.reading.reader import Reader
from autogaze.training.reading.tokenizer import reading_tokenizer

GAPS = 0.1
"""Share of tokens with free positions before them."""


@dataclass(frozen=True)
class Text:
    """ids: of tokens. told: places of those that are to be foretold. marks: last places of the four options, right: the
    right one's number; of an echo there are no marks."""

    ids: list[int]
    told: list[int]
    marks: tuple[int, ...] = ()
    right: int = 0


@dataclass(frozen=True)
class Row:
    """seen: what stands before the texts, (V, …): letters or features. times: float (V,), how many each stands for, one
    unless given. places: long (V,), one after the other unless given."""

    seen: Tensor
    texts: list[Text]
    times: Tensor | None = None
    places: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """B rows in V + L tokens. seen: (B, V, …); ids: long (B, L), the texts one after another; positions: long
    (B, V + L); sees: float (B, 1, V + L, V + L), added to attention's products. told: long (3, n), row, place before,
    id. asked: long (7, n), row, place before the letter, right option, places of the four marks."""

    seen: Tensor
    ids: Tensor
    positions: Tensor
    sees: Tensor
    told: Tensor
    asked: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


def question(options: Sequence[str], right: int, draw: np.random.Generator) -> Text:
    """A question with its options in a drawn order; right: number of the right one."""
    order = draw.permutation(len(options))
    ids, told, marks = _encode(stem(draw)), list[int](), list[int]()
    for letter, number in zip(LETTERS, order, strict=True):
        ids += _encode(f"\n {letter}. ")
        told += range(len(ids), len(ids) + len(options[number]))
        ids += _encode(options[number])
        marks.append(len(ids) - 1)
    return Text(ids + _encode(ask(draw)), told, tuple(marks), int(np.flatnonzero(order == right)[0]))


def echo(lines: Sequence[str]) -> Text:
    """Lines spelled again; which one comes next cannot be foretold, nor its first character."""
    ids, told = list[int](), list[int]()
    for line in lines:
        ids += _encode("\n" + line)
        told += range(len(ids) - len(line) + 1, len(ids))
    return Text(ids, told)


def _encode(text: str) -> list[int]:
    ids: list[int] = reading_tokenizer().encode(text).ids
    return ids


def collate(rows: Sequence[Row], draw: np.random.Generator, gap: float) -> Batch:
    """Rows as one batch. gap: most positions left free before a token."""
    wide = max(len(row.seen) for row in rows)
    long = max(sum(len(one.ids) for one in row.texts) for row in rows)
    seen = torch.zeros(len(rows), wide, *rows[0].seen.shape[1:], dtype=rows[0].seen.dtype)
    ids = np.zeros((len(rows), long), np.int64)
    positions, part = np.zeros((len(rows), wide + long), np.int64), np.full((len(rows), wide + long), -1)
    told, asked = list[tuple[int, ...]](), list[tuple[int, ...]]()
    times = np.zeros((len(rows), 1, wide + long), np.float32)
    for b, row in enumerate(rows):
        count, at = len(row.seen), 0
        seen[b, :count], part[b, :count] = row.seen, 0
        times[b, 0, :count] = 0 if row.times is None else row.times.log()
        places = np.arange(count) if row.places is None else row.places.numpy()
        positions[b, :count] = places + _gaps(count, gap, draw).cumsum()
        begin = 1 + int(positions[b, :count].max(initial=-1))
        for n, text in enumerate(row.texts):
            first, end = wide + at, at + len(text.ids)
            ids[b, at:end], part[b, first : wide + end] = text.ids, n + 1
            positions[b, first : wide + end] = begin + np.arange(len(text.ids))
            told += [(b, first + place - 1, text.ids[place]) for place in text.told]
            if text.marks:
                asked.append((b, wide + end - 1, text.right, *(first + mark for mark in text.marks)))
            at = end
    lists = (torch.tensor(one, dtype=torch.long).reshape(len(one), n).T for one, n in ((told, 3), (asked, 7)))
    return Batch(seen, *map(torch.from_numpy, (ids, positions, _sees(part, times))), *lists)


def _sees(part: NDArray[np.int64], times: NDArray[np.float32]) -> NDArray[np.float32]:
    """What attention adds: times (B, 1, S), of what is seen; part (B, S): 0 is seen, n the n-th text, -1 padding."""
    mine, other = part[:, :, None], part[:, None]
    sees = ((other == 0) | (mine == other)) & (other >= 0) & np.tri(part.shape[1], dtype=bool)
    sees |= np.eye(part.shape[1], dtype=bool)  # padding sees itself: no row of a softmax is empty
    return np.where(sees, times, np.float32(-np.inf))[:, None]


def _gaps(count: int, gap: float, draw: np.random.Generator) -> NDArray[np.int64]:
    """Positions left free before each of `count` tokens; none in three rows of ten."""
    most = gap * draw.random() ** 2 * (draw.random() < 0.7)
    return ((draw.random(count) < GAPS) * draw.random(count) * most).astype(np.int64)


def study(reader: Reader, embeds: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of a batch whose `seen` became `embeds` (B, V, hidden), and shares: of characters spelled, of options chosen
    by the letter and by the flag."""
    llm = reader.model.llm
    words = llm.get_input_embeddings()(batch.ids)
    hidden = reader.read(torch.cat([embeds.to(words.dtype), words], 1), batch.positions, batch.sees)
    row, place, known = batch.told
    spelled = llm.lm_head(hidden[row, place]).float()
    loss = F.cross_entropy(spelled, known)
    figures = {"spelled": _share(spelled, known)}
    if batch.asked.shape[1]:
        row, last, right = batch.asked[:3]
        letter = llm.lm_head(hidden[row, last]).float()[:, reader.letters]
        flag = 0.5 * reader.flag(hidden[row, batch.asked[3:]])[..., 0].T.float()
        loss = loss + F.cross_entropy(letter, right) + F.cross_entropy(flag, right)
        figures |= {"options": _share(letter, right), "flagged": _share(flag, right)}
    return loss, {name: value.detach() for name, value in figures.items()}


def _share(logits: Tensor, known: Tensor) -> Tensor:
    return (logits.argmax(-1) == known).float().mean()
