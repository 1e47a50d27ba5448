"""What the three runs have in common, as `training.loop` takes it."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze.training.processes import Team
from autogaze.training.reading.config import ReadingConfig
from autogaze.training.reading.reader import Reader
from autogaze.training.text_tiles import HELD_OUT

Found = tuple[Tensor, Mapping[str, float]]
"""Loss and figures."""


def own_seeds(config: ReadingConfig, count: int, team: Team) -> range:
    """Of the pictures that this process draws, of `count` in all: others for every run's seed and every process."""
    each = count // team.world
    first = config.seed * count + team.rank * each
    return range(first, first + each)


class Part:
    """One run's. teaches: beginnings of the names of what learns."""

    teaches: ClassVar[tuple[str, ...]]

    def __init__(self, config: ReadingConfig, reader: Reader) -> None:
        self.config, self.reader = config, reader

    def __call__(self, micro: int, draw: np.random.Generator) -> Found:
        """What micro-step `micro` minimises; all chance comes from `draw`."""
        raise NotImplementedError

    def held_out(self, draw: np.random.Generator) -> Mapping[str, float]:
        """Figures of a batch of what is not trained on."""
        raise NotImplementedError

    @torch.no_grad()
    def judge(self, reader: Reader) -> Mapping[str, float]:
        """Means of `held_out`."""
        batches = range(-(-self.config.held_out // self.config.batch))
        found = [self.held_out(np.random.default_rng([HELD_OUT, n])) for n in batches]
        return {name: float(np.mean([one[name] for one in found])) for name in found[0]}

    def picture(self, reader: Reader) -> NDArray[np.uint8] | None:
        """What there is to see for people."""
        return None

    def autocast(self) -> torch.autocast:
        """The configured precision of products."""
        kind = self.config.device.split(":")[0]
        return torch.autocast(kind, torch.bfloat16, self.config.precision == "bfloat16")
