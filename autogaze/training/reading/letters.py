"""The encoder of a small NVILA-HD, with a linear head that names the characters in every gazed patch.

Example::

    model = train(read(ReadingConfig, "letters-cpu", out="runs/letters"))     # an NVILAHD whose encoder reads
    validation.jsonl: characters (share right), strings (share of tiles whose line is right in every patch)

The head is thrown away: what it can name, a projector can hand on.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from autogaze.encoders.siglip import GazedSiglip
from autogaze.gaze import SCALES, Gaze
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.presets import shape
from autogaze.nvila.processing import normalise
from autogaze.overlay import Panels, Picture, contact_sheet
from autogaze.training.loop import run
from autogaze.training.processes import processes
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.reading.lines import ALPHABET, IGNORE, SLOTS, STARTS, Lines, batch

TRIES = 5
"""Lines drawn for a tile; some three find room."""
HELD_OUT = 1_000_003
"""Seed of what is never trained on."""


class Reader(nn.Module):
    """A model's encoder and the head."""

    def __init__(self, model: NVILAHD) -> None:
        super().__init__()
        self.vision: GazedSiglip = model.vision
        self.video = model.config.video
        self.head = nn.Linear(model.config.vision.hidden_size, SLOTS * len(ALPHABET))

    def forward(self, lines: Lines) -> Tensor:
        """Logits (M, 4, 37) of the gazed patches, tile by tile."""
        gaze = Gaze.from_masks(lines.gaze[:, None]).to(self.head.weight.device)
        pixels = normalise(lines.pixels[:, None].to(self.head.weight.device).float() / 255, self.video)
        out: Tensor = self.head(self.vision.packed(pixels, gaze)).unflatten(-1, (SLOTS, len(ALPHABET)))
        return out


def train(config: ReadingConfig, stop_after: int | None = None) -> NVILAHD:
    """Teach the encoder; the model is saved in `out/model`. Its language model is untaught: its answers are noise."""
    with processes(config.device) as team:
        config = config.model_copy(update={"device": team.device})
        model = NVILAHD.from_config(shape(config.shape), config.seed)
        _place(model.vision)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            reader = Reader(model).to(team.device).train()

        def learn(_: int, draw: np.random.Generator) -> tuple[Tensor, Mapping[str, float]]:
            lines = batch(draw, config.batch, TRIES)
            with autocast(config):
                logits = reader(lines)
            wanted = lines.letters[lines.gaze].to(logits.device)
            loss = F.cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=IGNORE)
            return loss, {"characters": right(logits, wanted)}

        run(reader, learn, Look.of(config) if team.leads else None, config, team, stop_after)
        if team.leads:
            model.save_pretrained(config.out / "model")
        team.wait()
    return model.eval()


def autocast(config: ReadingConfig) -> AbstractContextManager[object]:
    """The configured precision of products."""
    return torch.autocast(config.device, torch.bfloat16, enabled=config.precision == "bfloat16")


def right(logits: Tensor, wanted: Tensor) -> float:
    """Share of the characters in (M, 4) named right by (M, 4, 37)."""
    asked = wanted > 0
    return float((logits.argmax(-1) == wanted)[asked].float().mean())


@dataclass(frozen=True)
class Look:
    """Held-out tiles, and what a reader makes of them."""

    lines: Lines
    config: ReadingConfig

    @classmethod
    def of(cls, config: ReadingConfig) -> "Look":
        """The same ones for every run."""
        return cls(batch(np.random.default_rng(HELD_OUT), config.held_out), config)

    @torch.no_grad()
    def __call__(self, reader: Reader) -> dict[str, float]:
        """Shares right: of characters, at each scale, too, and of whole lines."""
        with autocast(self.config):
            said = reader(self.lines).argmax(-1).cpu()
        tile, token = self.lines.gaze.nonzero(as_tuple=True)
        wanted = self.lines.letters[tile, token]
        good, asked = said == wanted, wanted > 0
        scale = torch.bucketize(token, torch.tensor(STARTS[1:]), right=True)
        bad = torch.zeros(len(self.lines.texts)).index_add(0, tile, (~good & (wanted >= 0)).any(1).float())
        some = torch.zeros(len(bad)).index_add(0, tile, asked.any(1).float()) > 0
        found = {"characters": float(good[asked].float().mean())}
        for s in range(len(STARTS)):
            here = asked & (scale == s)[:, None]
            found[f"characters at scale {s}"] = float(good[here].float().mean()) if here.any() else 0.0
        return found | {"strings": float((bad == 0)[some].float().mean())}

    @torch.no_grad()
    def picture(self, reader: Reader) -> Picture:
        """A few tiles with what was read in them."""
        few = Lines(self.lines.pixels[:6], self.lines.gaze[:6], self.lines.letters[:6], self.lines.texts[:6])
        with autocast(self.config):
            said = reader(few).argmax(-1).cpu()
        starts = [0, *few.gaze.sum(1).cumsum(0).tolist()]
        panels, rows = Panels.for_size(224, 224, long_side=224), []
        for n, text in enumerate(few.texts):
            spoken = " ".join(
                "".join(ALPHABET[c] for c in patch).strip()
                for patch in said[starts[n] : starts[n + 1]].tolist()
            )
            tile: NDArray[np.uint8] = few.pixels[n].permute(1, 2, 0).numpy()
            boxes = Gaze.from_masks(few.gaze[n : n + 1, None]).boxes()
            rows.append(panels.draw(tile, boxes, tile, f"{text}: {' '.join(spoken.split())}", SCALES))
        return contact_sheet(rows, "held-out tiles and what is read in them")


def _place(vision: GazedSiglip) -> None:
    """Positions start as sines of row and column, which interpolation to every scale keeps."""
    table = vision.vision_model.embeddings.position_embedding.weight
    side, quarter = int(len(table) ** 0.5), table.shape[1] // 4
    rates = 4.0 ** -(torch.arange(quarter) / quarter * 3)
    angles = torch.arange(side)[:, None] * rates * 1.5
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    rows = waves[:, None].expand(side, side, -1)
    with torch.no_grad():
        table.copy_(torch.cat([rows, rows.transpose(0, 1)], -1).flatten(0, 1) * 0.3)
