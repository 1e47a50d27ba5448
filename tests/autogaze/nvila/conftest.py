"""A video that is drawn as it is read, a small model, and a count of the bytes that tensors hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.settings import VideoSettings


@dataclass
class Drawn:
    """Frame i is a gradient whose red is i, or noise; remembers what it was asked for."""

    width: int = 384
    height: int = 216
    frame_count: int = 40
    given: list[int] = field(default_factory=list)
    noise: bool = False

    def stream(
        self, indices: Sequence[int], size: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """As hlvid.video.Video: every distinct frame once, ascending."""
        height, width = size or (self.height, self.width)
        for index in sorted(set(indices)):
            self.given.append(index)
            frame = np.zeros((height, width, 3), np.uint8)
            frame[..., 0] = index
            frame[..., 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
            frame[..., 2] = np.linspace(0, 255, width, dtype=np.uint8)[None]
            if self.noise:
                frame = np.random.default_rng(index).integers(0, 256, frame.shape, np.uint8)
            yield index, frame


@pytest.fixture
def drawn() -> Drawn:
    """40 frames of 384 x 216 px."""
    return Drawn()


@pytest.fixture(scope="session")
def config(small_nvila: NVILAConfig) -> NVILAConfig:
    """The small one."""
    return small_nvila


@pytest.fixture(scope="session")
def model(config: NVILAConfig) -> NVILAHD:
    """Random weights, seeded."""
    return NVILAHD.from_config(config, seed=1)


@pytest.fixture
def whole(config: NVILAConfig) -> VideoSettings:
    """The settings without gazing."""
    return replace(config.video, gazing_ratio_tile=None, max_tiles_video=8)


@pytest.fixture(scope="session")
def small_selector_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """AutoGaze, narrow and with random weights."""
    from autogaze.model.autogaze import AutoGaze
    from autogaze.nvila.presets import TINY_AUTOGAZE

    folder = tmp_path_factory.mktemp("autogaze")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoGaze(TINY_AUTOGAZE).save_pretrained(folder)
    return str(folder)
