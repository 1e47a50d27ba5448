"""Host memory does not grow with the number of frames. `benchmarks/nvila_memory.py` measures it with tiles of 392 px.

Run: pytest -m slow tests/evaluators/models/nvila/test_memory.py
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from autogaze.nvila.answering import Answerer
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.tokenizer import byte_tokenizer
from autogaze.selectors import get
from evaluators.core.memory import Peak

pytestmark = pytest.mark.slow


class Film:
    """1,024 frames of 4K, all different; what decoding one takes is `hlvid.video`'s own affair, and tested there."""

    width, height, frame_count = 3840, 2160, 1024

    def stream(
        self, indices: Sequence[int], size: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        for index in indices:
            yield index, np.full((*(size or (2160, 3840)), 3), index % 256, np.uint8)


@pytest.fixture(scope="module")
def answerer(small_nvila: NVILAConfig) -> Answerer:
    """Eight small tiles a frame: 1,024 frames are 308 MB as floats, and 25 GB as decoded."""
    video = replace(small_nvila.video, max_tiles_video=8, gazing_ratio_tile=0.02, max_batch_size_autogaze=8)
    return Answerer(
        NVILAHD.from_config(replace(small_nvila, video=video)), byte_tokenizer(), get("centre"), video
    )


# By Pillow frames are 4K until they are tiled, which takes longer.
@pytest.mark.parametrize(("resize", "many"), [("decoder", 1024), ("pil", 256)])
def test_many_frames_of_4k_take_the_memory_of_64(answerer: Answerer, resize: str, many: int) -> None:
    def peak_of(frames: int) -> int:
        counts = {"num_video_frames": frames, "num_video_frames_thumbnail": frames // 8}
        asked = replace(answerer.settings, **counts, resize=resize)
        with Peak(torch.device("cpu")) as peak:
            look = replace(answerer, settings=asked).look(Film(), None)
        assert look.plan.grid.tiles == 8 and len(set(look.plan.indices)) == frames
        assert not peak.since_start and peak.bytes
        return peak.bytes

    peak_of(16)  # what is loaded and allocated once
    few = peak_of(64)
    assert peak_of(many) == pytest.approx(few, rel=0.1)
