"""Small inputs for the tests of figures: a video of a few frames, clips of known motion, records of runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.inputs import Inputs
from analysis.studies.clips import Clip


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Generated clips, `detail`, two of them; nothing on disk."""
    return Inputs(records=(tmp_path / "runs",), selector="detail", clips=2, cache=tmp_path / "cache")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames of 320 x 240 px at 10 FPS: a bright square that moves right over a still texture."""
    import av

    path = tmp_path_factory.mktemp("film") / "square.mp4"
    ground = np.random.default_rng(0).integers(0, 90, (240, 320, 3)).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for t in range(20):
            picture = ground.copy()
            picture[80:140, 20 + 10 * t : 80 + 10 * t] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def clip() -> Clip:
    """Three frames of 224 px; the lower right quarter moves at 5 px a frame, the rest stands."""
    frames = np.random.default_rng(1).integers(0, 255, (3, 224, 224, 3)).astype(np.uint8)
    flow = np.zeros((3, 224, 224), np.float32)
    flow[:, 112:, 112:] = 5
    return Clip("one", "one", frames, flow)


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """`write_run("name", task=..., accuracy=...)` leaves a folder as `hlvid eval` does."""

    def write(name: str, **changes: Any) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        results = {
            "task": "hlvid", "model": "nvila_hd", "model_args": {"frames": 128}, "status": "ok", "n": 268,
            "correct": 134, "accuracy": 0.5, "wilson": [0.44, 0.56], "clustered": [0.4, 0.6],
            "seconds_per_question": {"encoder": 1.5, "prefill": 0.5}, "tasks": {},
        }  # fmt: skip
        (folder / "results.json").write_text(json.dumps(results | changes))
        return folder

    return write
