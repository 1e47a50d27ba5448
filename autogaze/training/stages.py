"""From a configuration to its parts: the labels, the stage that learns from them, the validation.

Example::

    stage = make_stage(config, rank=0, world=1)
    look = make_look(config)
    look(model)                                       # {"0.02": 0.31, "0.05": 0.24, "0.1": 0.2, "0.2": 0.15}
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network
from autogaze.training.batches import PROCESSOR
from autogaze.training.config import TrainConfig, TrainingError
from autogaze.training.grpo import GrpoStage
from autogaze.training.judge import PasteTable
from autogaze.training.labels import LabelSet
from autogaze.training.ntp import NtpStage


class Stage(Protocol):
    """What a micro-step minimises; has no state, so that every step can be repeated."""

    def __call__(
        self, network: Network, sizes: AutoGazeConfig, micro: int, draw: np.random.Generator
    ) -> tuple[Tensor, Mapping[str, float]]:
        """Loss and figures of micro-step `micro`; all chance comes from `draw`."""


Look = Callable[[AutoGaze], dict[str, float]]
"""Validates a model: "0.1" -> loss at that gazing ratio."""


def make_stage(config: TrainConfig, rank: int, world: int) -> Stage:
    """The configured stage over the configured labels. Raises TrainingError where there are none."""
    labels = open_labels(config.labels)
    kind = NtpStage if config.stage == "ntp" else GrpoStage
    return kind(labels, config, rank, world)


def open_labels(folder: Path) -> LabelSet:
    """The label set of a folder. Raises TrainingError where there is none."""
    if not folder.is_dir():
        raise TrainingError(f"labels {folder}: no such folder; make one with 'hlvid train labels'")
    labels = LabelSet(folder)
    if not len(labels):
        raise TrainingError(f"labels {folder}: no labelled clips in it; make some with 'hlvid train labels'")
    return labels


def make_look(config: TrainConfig) -> Look | None:
    """Loss at each of the configured gazing ratios on the validation clips; None where none are named."""
    if config.validation is None:
        return None
    clips, _ = held_back(config.validation, config.validate_clips)
    tables = [PasteTable.of(clip[None].float() / 255, config.memory) for clip in clips]

    def look(model: AutoGaze) -> dict[str, float]:
        return {f"{ratio:g}": _loss(model, clips, tables, ratio, config.device) for ratio in config.ratios}

    return look


def held_back(folder: Path, limit: int) -> tuple[list[Tensor], list[str]]:
    """At most `limit` clips of a label set, uint8 (T, 3, 224, 224), and the recording of each.

    In a fixed random order, since a set goes through its recordings in turn. Raises TrainingError where the
    folder holds no labels.
    """
    labels = open_labels(folder)
    order = np.random.default_rng(0).permutation(len(labels))[:limit].tolist()
    names = [
        shard.path.stem.rpartition("-")[0]
        for shard in getattr(labels, "shards", [])
        for _ in range(len(shard))
    ]
    return [labels[n].frames for n in order], [names[n] if names else str(n) for n in order]


def _loss(
    model: AutoGaze, clips: Sequence[Tensor], tables: Sequence[PasteTable], ratio: float, device: str
) -> float:
    """Mean over clips and frames of the loss at one gazing ratio."""
    losses = []
    for clip, table in zip(clips, tables, strict=True):
        gaze = model.gaze(PROCESSOR.pixels(clip)[None].to(device), ratio=ratio)
        losses.append(table.losses(gaze.masks().cpu()).mean())
    return torch.stack(losses).mean().item()
