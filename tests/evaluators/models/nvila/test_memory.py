"""Host memory does not grow with the number of frames.

Run: pytest -m slow tests/evaluators/models/nvila/test_memory.py
"""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from autogaze.encoders.config import SiglipConfig
from autogaze.nvila.answering import Answerer
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.settings import VideoSettings
from autogaze.nvila.tokenizer import byte_tokenizer
from autogaze.selectors import get
from evaluators.core.memory import Peak
from hlvid.video import Video

pytestmark = pytest.mark.slow
DISTINCT = 8


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 frames of 3840 x 2160 px; a sample of 1,024 takes each 128 times, as of a short video."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 3840, 2160, "yuv420p"
        for index in range(DISTINCT):
            pixels = np.full((2160, 3840, 3), 30 * index, np.uint8)
            pixels[:, 100 * index : 100 * index + 300] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    """Eight small tiles a frame: 1,024 frames are 308 MB as floats, and 25 GB as decoded."""
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
    llm = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    video = VideoSettings(
        num_video_frames=64,
        num_video_frames_thumbnail=8,
        max_tiles_video=8,
        gazing_ratio_tile=0.02,
        gazing_ratio_thumbnail=1.0,
        task_loss_requirement_tile=None,
        task_loss_requirement_thumbnail=None,
        max_batch_size_autogaze=8,
        resize="pil",
    )
    config = NVILAConfig(vision=vision, llm={**llm, "num_key_value_heads": 1, "vocab_size": 272}, video=video)
    return Answerer(NVILAHD.from_config(config), byte_tokenizer(), get("centre"), video)


def test_1024_frames_of_4k_take_the_memory_of_64(answerer: Answerer, film: Path) -> None:
    def peak_of(frames: int) -> int:
        asked = replace(answerer.settings, num_video_frames=frames, num_video_frames_thumbnail=frames // 8)
        with Video.open(film) as video, Peak(torch.device("cpu")) as peak:
            look = replace(answerer, settings=asked).look(video, None)
        assert look.plan.grid.tiles == 8 and len(look.plan.indices) == frames
        assert not peak.since_start and peak.bytes
        return peak.bytes

    peak_of(16)  # what is loaded and allocated once
    few = peak_of(64)
    assert peak_of(1024) == pytest.approx(few, rel=0.1)
