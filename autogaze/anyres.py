"""Any length, any resolution: a video in 16-frame chunks, each frame in square tiles, every tile gazed by itself.

    for chunk in gaze_video(frames, selector, ratio=0.1):       # frames: an iterator of uint8 (H, W, 3)
        chunk.start, chunk.gaze.batch, chunk.boxes().xyxy       # first frame, tiles, rectangles in frame
        pixels

Nothing grows with the video's length: one chunk of frames is held at a time, and its tiles go through the
selector as many at a time as `memory` allows. Which tiles go together changes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autogaze.gaze import Boxes, Gaze
from autogaze.selectors.base import Selector
from autogaze.tiling import Tiling

CHUNK = 16
# A tile of 16 frames at ratio 1: keys and values of 4 layers (47 MB), pixels and trunk (60 MB), scores (36
# MB).
BYTES_PER_TILE = 160 << 20
Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TiledGaze:
    """The gaze of one chunk of a video.

    gaze: batch = rows * columns tiles, row-major. start: number of the chunk's first frame. tiling: how the frames
    were cut. pixels: float (tiles, T, 3, 224, 224) in [0, 1], what was gazed at.
    """

    gaze: Gaze
    start: int
    tiling: Tiling
    pixels: Tensor

    def boxes(self) -> Boxes:
        """Gazed patches in pixels of the frame; at the right and bottom they may reach into the padding."""
        return self.gaze.boxes(self.tiling.boxes())


def gaze_video(
    frames: Iterable[Frame],
    selector: Selector,
    *,
    ratio: float | Sequence[float] | None = None,
    loss: float | None = None,
    memory: int = 2 << 30,
    device: str = "cpu",
) -> Iterator[TiledGaze]:
    """Gaze at uint8 frames (H, W, 3) of any size, in chunks of 16 (the last one may be shorter).

    ratio: a number, or 16 of them, one for each frame of a chunk. memory: bytes that gazing may take at a
    time; at least one tile is gazed whatever it says. Raises ValueError where frames are not alike or there
    are none.
    """
    start = 0
    for chunk in _chunks(frames):
        tiling = Tiling.of(*chunk[0].shape[:2])
        tiles = tiling.split(torch.from_numpy(np.stack(chunk)).to(device))
        valid = tiling.valid.to(device)
        ratios = list(ratio)[: len(chunk)] if isinstance(ratio, Sequence) and len(chunk) < CHUNK else ratio
        size = max(1, memory // BYTES_PER_TILE)
        if getattr(selector, "budget", "tile") == "picture":
            size = len(
                tiles
            )  # such a selector shares the budget among a picture's tiles, so it has to see them all
        parts = [
            selector.select(
                tiles[at : at + size],
                ratio=ratios,
                loss=loss,
                valid=valid[at : at + size],
                layout=tiling.layout if size >= len(tiles) else None,
            )
            for at in range(0, len(tiles), size)
        ]
        yield TiledGaze(Gaze.cat(parts), start, tiling, tiles)
        start += len(chunk)
    if start == 0:
        raise ValueError("frames: none, expected at least one")


def _chunks(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Lists of 16 frames, the last possibly shorter."""
    chunk: list[Frame] = []
    shape: tuple[int, ...] | None = None
    for number, frame in enumerate(frames):
        shape = shape or frame.shape
        if frame.shape != shape or frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(
                f"frames: number {number} is {frame.dtype} {frame.shape}, expected uint8 {shape} like the first"
            )
        chunk.append(frame)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
