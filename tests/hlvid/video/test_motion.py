"""What the decoder knows of blocks: where something moved, in the frame asked, as shown."""

from pathlib import Path

import av
import numpy as np
import pytest

from hlvid.errors import VideoError
from hlvid.video.motion import FULL_MOTION, block_maps


def film(path: Path, codec: str = "libx264", frames: int = 6) -> Path:
    """A textured square that moves 8 px a frame to the right, over grey; without B-frames."""
    texture = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"bf": "0"} if codec == "libx264" else {})
        stream.width, stream.height = 320, 192
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(frames):
            picture = np.full((192, 320, 3), 90, np.uint8)
            picture[64:128, 80 + 8 * index : 144 + 8 * index] = texture[..., None]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_motion_is_where_it_moved(tmp_path: Path) -> None:
    maps = dict(block_maps(film(tmp_path / "a.mp4"), [5, 0, 3], (192, 320)))
    assert list(maps) == [0, 3, 5] and all(
        one.shape == (192, 320, 3) and one.dtype == np.uint8 for one in maps.values()
    )
    assert maps[0][..., 0].max() == 0 and maps[0][..., 1].min() == 255  # a key frame: all is coded anew
    for index in (3, 5):
        inside = maps[index][72:120, 88 + 8 * index : 136 + 8 * index, 0]
        assert np.median(inside) == pytest.approx(8 / FULL_MOTION * 255, abs=2)
        assert maps[index][:48, :48, 0].max() == 0 and maps[index][..., 1].mean() < 255


def test_maps_come_at_the_size_asked(tmp_path: Path) -> None:
    ((_, maps),) = block_maps(film(tmp_path / "a.mp4"), [3], (96, 160))
    assert maps.shape == (96, 160, 3) and np.median(maps[38:58, 60:76, 0]) > 20


def test_a_decoder_without_vectors_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", "mjpeg")
    with pytest.raises(VideoError, match="exports no motion vectors; use another selector"):
        list(block_maps(path, [1, 2], (192, 320)))
