"""A small video with signs on a grainy ground, drawn and encoded here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

Picture = npt.NDArray[np.uint8]


def draw_sign(picture: Picture, text: str, left: int, top: int, cap: int) -> None:
    """White letters about `cap` px high on a blue board, into `picture` (uint8 (H, W, 3))."""
    import cv2

    scale = cap / 21  # the font's capitals are 21 px high at scale 1
    thick = max(1, round(cap / 9))
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    margin = cap // 2 + 2
    corner = (left + width + 2 * margin, top + cap + 2 * margin)
    cv2.rectangle(picture, (left, top), corner, (25, 60, 140), -1)
    place = (left + margin, top + cap + margin)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (240, 240, 240), thick, cv2.LINE_AA)


@pytest.fixture(scope="session")
def ground() -> Picture:
    """Grain: uint8 (540, 960, 3)."""
    import cv2

    grain = np.random.default_rng(0).normal(110, 22, (540, 960, 3))
    blurred: Picture = np.clip(cv2.GaussianBlur(grain, (0, 0), 1.0), 0, 255).astype(np.uint8)
    return blurred


@pytest.fixture(scope="session")
def signs(ground: Picture) -> Picture:
    """The ground with two signs: "NORTH 53" 36 px high and "EXIT 86" 12 px high."""
    picture = ground.copy()
    draw_sign(picture, "NORTH 53", 80, 60, 36)
    draw_sign(picture, "EXIT 86", 600, 400, 12)
    return picture


@pytest.fixture(scope="session")
def encode() -> Callable[[Path, list[Picture]], Path]:
    """encode(path, pictures): an H.264 file of 10 pictures a second."""

    def write(path: Path, pictures: list[Picture]) -> Path:
        import av

        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"crf": "16", "preset": "veryfast"})
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture(scope="session")
def clip(
    tmp_path_factory: pytest.TempPathFactory, encode: Callable[[Path, list[Picture]], Path], signs: Picture
) -> Path:
    """Eight frames of `signs`, standing still."""
    return encode(tmp_path_factory.mktemp("clips") / "clip_av_video_0_000.mp4", [signs] * 8)
