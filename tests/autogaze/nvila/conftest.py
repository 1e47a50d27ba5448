"""A video that is drawn as it is read, a small model, and a count of the bytes that tensors hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from autogaze.encoders.config import SiglipConfig
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
def config() -> NVILAConfig:
    """Tiles of 56 px with patches of 4, so that a test takes no time; AutoGaze's proportions 4:7:14 ... kept."""
    vision = SiglipConfig(
        hidden_size=24,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=56,
        patch_size=4,
        scales=(8, 16, 28, 56),
        select_layer=-2,
    )
    llm = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    return NVILAConfig(
        vision=vision,
        llm={**llm, "num_key_value_heads": 1, "vocab_size": 272},
        released_scales=(
            9,
            19,
            35,
            70,
        ),  # grids of 1, 3, 7 and 14 are 255 tokens a frame; the encoder has 265
        released_patch=5,
        video=VideoSettings(
            num_video_frames=32,
            num_video_frames_thumbnail=8,
            max_tiles_video=2,
            gazing_ratio_tile=0.1,
            gazing_ratio_thumbnail=1.0,
            task_loss_requirement_tile=None,
            task_loss_requirement_thumbnail=None,
            max_batch_size_autogaze=3,
        ),
    )


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
