"""Questions of HLVid-Mini's kind, in other words: four texts that look alike, one of which is on a board.

Any of the four can be the right one, and another one each time: nothing but the pixels tells. No word and no draw comes
from `hlvid.mini`; the rule for options (one look-alike place, or two) is its rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from autogaze.nvila.config import VIDEO_TOKEN
from autogaze.nvila.tokenizer import END, byte_tokenizer
from autogaze.training.reading.glyphs import ALPHABET, CHARACTERS

LETTERS = "ABCD"
ALIKE = (
    "3568",
    "38",
    "56",
    "68",
    "17",
    "49",
    "EF",
    "CG",
    "MN",
    "PR",
    "UV",
    "BR",
    "KX",
    "HN",
    "BD",
    "OQ",
    "2Z",
)
STEMS = (
    "What is written in {0} on the {1} {2}?",
    "What can be read in {0} letters on the {1} {2}?",
    "Which {0} text does the {1} {2} show?",
    "Read the {1} {2}.",
)
COLOURS = ["white", "black", "yellow", "red", "green", "blue", "brown", "orange", "purple", "grey", "pink"]
THINGS = (
    *("road sign", "billboard", "shop sign", "banner", "parking sign", "label", "door"),
    *("box", "jar", "book", "bag", "crate", "poster"),
)
ASKS = (
    "Please answer directly with the letter of the correct answer.",
    "Answer with the letter.",
)


@dataclass(frozen=True)
class Bank:
    """N questions. ids: long (N, P), prompt after the video, a letter, end of turn, padding; end: long (N,), the
    letter's place; letters: the four letters' ids; weight: float (N, P), of each id as a target; marks: long (N, 4),
    the places right behind the options; options: long (N, 4, C), their texts."""

    ids: Tensor
    end: Tensor
    letters: Tensor
    weight: Tensor
    marks: Tensor
    options: Tensor

    def to(self, device: torch.device | str) -> "Bank":
        """On a device."""
        return Bank(**{name: value.to(device) for name, value in vars(self).items()})

    def some(self, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Questions, long (count,), and the place of the right option, 0 to 3."""
        device = self.ids.device
        chosen = torch.randint(len(self.ids), (count,), generator=draw, device=device)
        return chosen, torch.randint(4, (count,), generator=draw, device=device)

    def asked(self, chosen: Tensor, right: Tensor) -> Tensor:
        """Texts of the right options: long (..., C)."""
        return self.options[chosen, right]


def questions(draw: np.random.Generator, count: int) -> Bank:
    """`count` questions."""
    asked = [_question(draw) for _ in range(count)]
    tokenizer = byte_tokenizer()
    encoded = tokenizer.encode_batch([VIDEO_TOKEN + prompt + LETTERS[0] + END for prompt, _, _ in asked])
    width = max(len(one.ids) for one in encoded) - 1
    ids, weight = np.full((count, width), encoded[0].ids[-1]), np.zeros((count, width), np.float32)
    end, marks = np.zeros(count, np.int64), np.zeros((count, 4), np.int64)
    options = np.full((count, 4, CHARACTERS), -1)
    for n, ((_, texts, spans), one) in enumerate(zip(asked, encoded, strict=True)):
        own = one.ids[1:]  # without the video's placeholder
        ids[n, : len(own)], end[n] = own, len(own) - 2
        for k, (text, (first, last)) in enumerate(zip(texts, spans, strict=True)):
            weight[n, first:last], marks[n, k] = 1, last
            options[n, k, : len(text)] = [ALPHABET.index(character) for character in text]
    letters = torch.tensor([tokenizer.encode(letter).ids[0] for letter in LETTERS])
    arrays = (torch.from_numpy(array) for array in (weight, marks, options))
    return Bank(torch.from_numpy(ids), torch.from_numpy(end), letters, *arrays)


def _question(draw: np.random.Generator) -> tuple[str, list[str], list[tuple[int, int]]]:
    """Prompt, options, their spans in the prompt."""
    options = _options(draw)
    stem = STEMS[0 if draw.random() < 0.5 else draw.integers(len(STEMS))]
    words = (_pick(draw, COLOURS), _pick(draw, COLOURS), _pick(draw, THINGS))
    prompt, spans = "\n\n" + stem.format(*words), []
    for letter, option in zip(LETTERS, options, strict=True):
        prompt += f"\n {letter}. "
        spans.append((len(prompt), len(prompt) + len(option)))
        prompt += option
    return f"{prompt}\n {ASKS[draw.random() < 0.2]}", options, spans


def _options(draw: np.random.Generator) -> list[str]:
    """Four texts that differ in one place or in two, each as far from the others as HLVid-Mini's are."""
    word = "".join(
        _pick(draw, "BCDFGHJKLMNPRSTVWXZ" if n % 2 else "AEIOUYRLTSBCDFGHMNP")
        for n in range(draw.integers(3, 8))
    )
    if draw.random() < 0.2:
        word = "".join(_pick(draw, ALPHABET[1:27]) for _ in word)
    code = "".join(_pick(draw, "35683568356814792035") for _ in range(3 if len(word) < 5 else 2))
    code += _pick(draw, "BCDEFGHKMNPRUVXAQZ") if draw.random() < 0.4 else ""
    pairs = [pair for pair in ALIKE if len(pair) == 2]
    paired = [n for n, character in enumerate(code) if any(character in pair for pair in pairs)]
    if len(paired) >= 2 and draw.random() < 0.5:
        places = sorted(draw.permutation(paired)[:2].tolist())
        sets = [_pick(draw, [pair for pair in pairs if code[n] in pair]) for n in places]
        codes = [_put(_put(code, places[0], a), places[1], b) for a, b in product(*sets)]
    else:
        place = int(draw.integers(sum(character.isdigit() for character in code)))
        kinds = ALIKE[0] if draw.random() < 0.8 else "".join(draw.permutation(list("0123456789"))[:4])
        codes = [_put(code, place, character) for character in kinds]
    return [f"{word} {codes[n]}" for n in draw.permutation(4)]


def _pick(draw: np.random.Generator, items: Sequence[str]) -> str:
    return items[int(draw.integers(len(items)))]


def _put(text: str, place: int, character: str) -> str:
    return text[:place] + character + text[place + 1 :]
