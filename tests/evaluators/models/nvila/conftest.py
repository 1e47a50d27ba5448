"""A short HD video, a small checkpoint of ours, the stand-in for the published one, and its conversion."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest
import torch

from hlvid.dataset.question import Question

OPTIONS = {"A": "DL3", "B": "DL5 EXIT", "C": "DL8", "D": "DL6"}


@pytest.fixture(scope="session")
def video_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames of 1280 x 720 px, H.264."""
    path = tmp_path_factory.mktemp("videos") / "clip_av_video_0_000.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for index in range(20):
            pixels = np.full((720, 1280, 3), 8 * index, np.uint8)
            pixels[:, 40 * index : 40 * index + 200] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def questions(video_file: Path) -> list[Question]:
    """Two questions about it."""
    return [
        Question(
            id=str(index),
            video=video_file.name,
            source="av_video_0",
            category="av",
            stem=f"What does sign {index} say?",
            options=OPTIONS,
            answer="B",
            video_path=video_file,
        )
        for index in range(2)
    ]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`hlvid make-checkpoint --shape tiny`."""
    from autogaze.nvila.answering import make_checkpoint

    return make_checkpoint(tmp_path_factory.mktemp("native") / "tiny")


@pytest.fixture(scope="session")
def standin() -> ModuleType:
    """The module that writes stand-ins for the published checkpoint."""
    spec = importlib.util.spec_from_file_location("nvila_standin", Path(__file__).parent / "nvila_standin.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def gazer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small AutoGaze with random weights and the published image processor."""
    from autogaze.model.autogaze import AutoGaze
    from autogaze.model.processing import AutoGazeImageProcessor
    from autogaze.nvila.presets import TINY_AUTOGAZE

    folder = tmp_path_factory.mktemp("gazer") / "autogaze"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoGaze(TINY_AUTOGAZE).save_pretrained(folder)
    AutoGazeImageProcessor().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def remote_checkpoint(
    tmp_path_factory: pytest.TempPathFactory, gazer: Path, standin: ModuleType
) -> Iterator[Path]:
    """The stand-in for the published checkpoint; its code is copied to a folder of the session's own."""
    from transformers import dynamic_module_utils

    cache, before = tmp_path_factory.mktemp("modules"), dynamic_module_utils.HF_MODULES_CACHE
    dynamic_module_utils.HF_MODULES_CACHE = str(cache)
    yield standin.write(tmp_path_factory.mktemp("remote") / "published", gazer)
    dynamic_module_utils.HF_MODULES_CACHE = before


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory, remote_checkpoint: Path) -> Path:
    """The stand-in, converted."""
    from autogaze.nvila.convert.conversion import plan_conversion, write
    from autogaze.nvila.convert.snapshot import Snapshot

    folder = tmp_path_factory.mktemp("converted") / "ours"
    write(plan_conversion(Snapshot.of(remote_checkpoint)), folder)
    return folder
