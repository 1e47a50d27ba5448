"""A short HD video, a small checkpoint of ours, and one with remote code."""

import json
from collections.abc import Iterator
from pathlib import Path

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
def remote_checkpoint(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Iterator[Path]:
    """A folder with processing and modeling code of the published interface, and small random weights."""
    from transformers import dynamic_module_utils

    folder = tmp_path_factory.mktemp("remote") / "tiny_remote"
    folder.mkdir()
    source = Path(__file__).parent / "remote_code"
    for name in ("configuration_tiny.py", "modeling_tiny.py", "processing_tiny.py"):
        (folder / name).write_text((source / f"{name}.txt").read_text())
    config = {
        "model_type": "tiny_nvila",
        "architectures": ["TinyNVILA"],
        "auto_map": {"AutoConfig": "configuration_tiny.TinyConfig", "AutoModel": "modeling_tiny.TinyNVILA"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    processor = {
        "auto_map": {"AutoProcessor": "processing_tiny.TinyProcessor"},
        "processor_class": "TinyProcessor",
        "autogaze_model_id": str(checkpoint / "autogaze"),
    }
    (folder / "processor_config.json").write_text(json.dumps(processor))
    cache, before = tmp_path_factory.mktemp("modules"), dynamic_module_utils.HF_MODULES_CACHE
    dynamic_module_utils.HF_MODULES_CACHE = str(cache)
    _save_weights(folder)
    yield folder
    dynamic_module_utils.HF_MODULES_CACHE = before


def _save_weights(folder: Path) -> None:
    """Draw the weights with the folder's own code."""
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    config = get_class_from_dynamic_module("configuration_tiny.TinyConfig", str(folder))
    model = get_class_from_dynamic_module("modeling_tiny.TinyNVILA", str(folder))
    text = (folder / "config.json").read_text()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model(config.from_pretrained(str(folder))).save_pretrained(folder)
    (folder / "config.json").write_text(text)  # auto_map as written above, whatever transformers makes of it
