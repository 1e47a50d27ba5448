"""From a configuration to the stage that learns."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from torch import Tensor

from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network
from autogaze.training.config import TrainConfig
from autogaze.training.grpo import GrpoStage
from autogaze.training.labels import LabelSet
from autogaze.training.ntp import NtpStage


class Stage(Protocol):
    """What a micro-step minimises; has no state, so that every step can be repeated."""

    def __call__(
        self, network: Network, sizes: AutoGazeConfig, micro: int, draw: np.random.Generator
    ) -> tuple[Tensor, Mapping[str, float]]:
        """Loss and figures of micro-step `micro`; all chance comes from `draw`."""


def make_stage(config: TrainConfig, rank: int, world: int) -> Stage:
    """The configured stage over the configured labels. Raises LabelError where there are none."""
    labels = LabelSet(config.labels)
    kind = NtpStage if config.stage == "ntp" else GrpoStage
    return kind(labels, config, rank, world)
