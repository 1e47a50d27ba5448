"""A small real video to time with: 32 frames of moving noise."""

from pathlib import Path

import av
import numpy as np
import pytest


@pytest.fixture(scope="session")
def film_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "noise.mp4"
    ground = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for t in range(32):
            frame = av.VideoFrame.from_ndarray(np.roll(ground, 4 * t, axis=1), format="rgb24")
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode())
    return path
