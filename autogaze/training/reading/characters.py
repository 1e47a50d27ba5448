"""The first run: the encoder learns which characters are in the patches that a gaze for reading takes."""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.training.processes import Team
from autogaze.training.reading.config import Characters as Settings
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.reading.letters import IGNORE, View, cut, masks, shown
from autogaze.training.reading.part import Found, Part, own_seeds
from autogaze.training.reading.pictures import FRAMES, SQUARES, Pictures, pictures
from autogaze.training.reading.questions import ALPHABET
from autogaze.training.reading.reader import Reader
from autogaze.training.text_tiles import HELD_OUT, shades

NONE_WEIGHT = 0.3
"""Of "no character", of which there is most."""
DRAWN = 4
"""Tiles of a picture for people, each as wide as its own pixels twice."""

Tiles = tuple[Tensor, Tensor, Tensor]
"""Pixels (B, 3, side, side), the encoder's gazed patches, bool (B, tokens), and their letters, long (M, 2)."""


class Characters(Part):
    """Of each patch, two characters or none."""

    teaches: ClassVar = ("model.vision", "head")

    def __init__(self, config: ReadingConfig, reader: Reader, team: Team) -> None:
        assert config.characters is not None
        super().__init__(config, reader)
        self.settings, self.view = config.characters, reader.view
        kind = FRAMES if self.view.whole else SQUARES
        self.known = pictures(own_seeds(config, self.settings.squares, team), kind, config.processes)
        self.held = pictures(range(HELD_OUT, HELD_OUT + config.held_out), kind, config.processes)

    def __call__(self, micro: int, draw: np.random.Generator) -> Found:
        named, letters = self._named(tiles(self.known, draw, self.config.batch, self.settings, self.view))
        weight = torch.ones(len(ALPHABET), device=named.device)
        weight[0] = NONE_WEIGHT
        loss = F.cross_entropy(named.flatten(0, 1), letters.flatten(), weight, ignore_index=IGNORE)
        return loss, right(named, letters)

    def held_out(self, draw: np.random.Generator) -> Mapping[str, float]:
        return right(*self._named(tiles(self.held, draw, self.config.batch, self.settings, self.view)))

    def picture(self, reader: Reader) -> NDArray[np.uint8]:
        """Held-out tiles, and beside each what is read in which patch, green where that is right."""
        pixels, seen, letters = tiles(self.held, np.random.default_rng(0), DRAWN, self.settings, self.view)
        with torch.no_grad():
            said = self._named((pixels, seen, letters))[0].argmax(-1).cpu()
        grid, side = self.view.grid, self.view.side
        boxes = Gaze.from_masks(seen[:, None], grid.scales, grid.patch_size).boxes()
        sheet = Image.new("RGB", (2 * side * DRAWN, 4 * side), "white")
        drawing = ImageDraw.Draw(sheet)
        for n, tile in enumerate(pixels):
            own = Image.fromarray((tile.permute(1, 2, 0).numpy() * 255).astype(np.uint8))
            sheet.paste(own.resize((2 * side, 2 * side)), (2 * side * n, 0))
        for box, n, found, known in zip(boxes.xyxy.tolist(), boxes.clip.tolist(), said, letters, strict=True):
            left, top = 2 * (side * n + box[0]), 2 * (side + box[1])
            text = "".join(ALPHABET[letter] for letter in found)
            good = bool(((found == known) | (known == IGNORE)).all())
            drawing.text((left, top), text if text.strip() else "·", "green" if good else "red")
        return np.asarray(sheet)

    def _named(self, drawn: Tiles) -> tuple[Tensor, Tensor]:
        pixels, seen, letters = (part.to(self.config.device) for part in drawn)
        with self.autocast():
            return self.reader.name(self.reader.see(pixels, seen)).float(), letters


def tiles(known: Pictures, draw: np.random.Generator, count: int, settings: Settings, view: View) -> Tiles:
    """Tiles cut anywhere, in other colours and contrasts, and a gaze that takes lines, one wholly before the next, then
    anything; of whole frames not seldom all."""
    picked = draw.integers(0, len(known.pixels), count)
    free = np.array(known.pixels.shape[2:0:-1]) - view.side + 1
    corners = draw.integers(0, free, (count, 2))
    what = shown(known, picked, corners, view)
    wish = (1 + draw.random(what.cells.shape[:2]))[..., None] * what.cells
    gazed = round(math.exp(draw.uniform(*np.log(settings.gazed))))
    best = np.argsort(-wish.max(1) - 0.5 * draw.random((count, view.cells)), 1)[:, :gazed]
    cells = np.zeros((count, view.cells), bool)
    np.put_along_axis(cells, best, True, 1)
    seen, pixels = masks(cells, view), cut(known, picked, corners, shades(draw, count), view.side)
    for n in np.flatnonzero(draw.random(count) < 0.5):
        pixels[n] = pixels[n][torch.from_numpy(draw.permutation(3))]
    return pixels, torch.from_numpy(seen), torch.from_numpy(what.letters[seen])


def right(named: Tensor, letters: Tensor) -> dict[str, float]:
    """Shares of the characters named right, of 3, 5, 6, 8 among them, and of empty patches that are named something."""
    said, there = named.argmax(-1), letters > 0
    alike = torch.isin(letters, torch.tensor([ALPHABET.index(one) for one in "3568"], device=letters.device))
    cases = {"characters": there, "look-alikes": there & alike, "false": letters == 0}
    hits = {name: (said == letters) & cases[name] for name in cases} | {"false": (said > 0) & (letters == 0)}
    return {name: float(hits[name].sum() / case.sum().clamp_min(1)) for name, case in cases.items()}
