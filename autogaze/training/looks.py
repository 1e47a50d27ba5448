"""Validation: what a model loses at fixed ratios, what it spends where it stops by itself, pictures of its gaze."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.overlay import Panels, contact_sheet
from autogaze.reconstruction.paste import rebuild
from autogaze.tiling import Picture
from autogaze.training.batches import PROCESSOR
from autogaze.training.calibrate import CAP
from autogaze.training.config import TrainConfig
from autogaze.training.judge import PasteTable
from autogaze.training.labels import LabelSet
from autogaze.training.text_tiles import HELD_OUT, read_share, tiles

SHOWN, RATIO = 3, 0.05
"""Clips in a picture, and the gazing ratio that it shows."""
READ = range(HELD_OUT, HELD_OUT + 24)
"""Generated tiles that are read; no training takes them."""


@dataclass(frozen=True)
class Look:
    """clips: uint8 (T, 3, 224, 224) each, with the table that judges it. stop: a predicted loss, or None."""

    clips: Sequence[Tensor]
    tables: Sequence[PasteTable]
    ratios: Sequence[float]
    stop: float | None = None

    @classmethod
    def of(cls, config: TrainConfig) -> "Look | None":
        if config.validation is None:
            return None
        clips, _ = held_back(config.validation, config.validate_clips)
        tables = [PasteTable.of(clip[None].float() / 255, config.memory) for clip in clips]
        return cls(clips, tables, config.ratios, config.validate_stop)

    def judge(self, model: AutoGaze) -> dict[str, float]:
        """The mean loss over clips and frames at each gazing ratio; `reading`: the share of generated tiles' text
        that is seen readably at a ratio of 5 %; `spent`: the ratio where it stops by itself."""
        found = {f"{ratio:g}": self._loss(model, ratio) for ratio in self.ratios}
        pictures, places = _read()
        gaze = model.gaze(PROCESSOR.pixels(pictures)[:, None].to(model.device), ratio=RATIO)
        found["reading"] = read_share(gaze.masks()[:, 0].cpu(), places)
        if self.stop is not None:
            ratios = [self._gaze(model, clip, CAP, self.stop).ratio() for clip in self.clips]
            found["spent"] = sum(ratios) / len(ratios)
        return found

    def picture(self, model: AutoGaze) -> Picture:
        """The first clips' last frames, where the gaze has all that was before."""
        rows = []
        panels = Panels.for_size(224, 224, long_side=320)
        for n, clip in enumerate(self.clips[:SHOWN]):
            gaze = self._gaze(model, clip, RATIO).to("cpu")
            shown = rebuild(clip[None].float() / 255, gaze, memory=True)[0, -1]
            rebuilt = (shown * 255).round().clamp(0, 255).to(torch.uint8)
            last = Gaze.from_masks(gaze.masks()[:, -1:])
            original, painted = (one.permute(1, 2, 0).numpy() for one in (clip[-1], rebuilt))
            rows.append(panels.draw(original, last.boxes(), painted, f"clip {n}, last frame", gaze.scales))
        return contact_sheet(rows, f"validation clips at a gazing ratio of {RATIO:.0%}")

    def _loss(self, model: AutoGaze, ratio: float) -> float:
        losses = [
            table.losses(self._gaze(model, clip, ratio).masks().cpu()).mean()
            for clip, table in zip(self.clips, self.tables, strict=True)
        ]
        return torch.stack(losses).mean().item()

    def _gaze(self, model: AutoGaze, clip: Tensor, ratio: float, loss: float | None = None) -> Gaze:
        return model.gaze(PROCESSOR.pixels(clip)[None].to(model.device), ratio=ratio, loss=loss)


@lru_cache(maxsize=1)
def _read() -> tuple[Tensor, Tensor]:
    """The tiles of `READ`, drawn once a process: a second of every look."""
    return tiles(READ)


def held_back(folder: Path, limit: int) -> tuple[list[Tensor], list[str]]:
    """At most `limit` clips of a label set, uint8 (T, 3, 224, 224), and the recording of each.

    In a fixed random order, since a set goes through its recordings in turn. Raises LabelError where the
    folder holds no labels.
    """
    labels = LabelSet(folder)
    order = np.random.default_rng(0).permutation(len(labels))[:limit].tolist()
    names = [shard.path.stem.rpartition("-")[0] for shard in labels.shards for _ in range(len(shard))]
    return [labels[n].frames for n in order], [names[n] for n in order]
