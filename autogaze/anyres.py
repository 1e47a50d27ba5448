"""Any length, any resolution: a video in 16-frame chunks, each frame in square tiles, every tile gazed by itself.

    for chunk in gaze_video(frames, selector, ratio=0.1):       # frames: an iterator of uint8 (H, W, 3)
        chunk.start, chunk.gaze.batch, chunk.boxes().xyxy       # first frame, tiles, rectangles in frame
        pixels

Nothing grows with the video's length: one chunk of frames is held at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autogaze.gaze import Boxes, Gaze
from autogaze.selectors.base import Selector, look, needs_of
from autogaze.selectors.told import Told
from autogaze.tiling import Tiling

CHUNK = 16
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
    device: str = "cpu",
    told: Told | None = None,
    indices: Sequence[int] | None = None,
) -> Iterator[TiledGaze]:
    """Gaze at uint8 frames (H, W, 3) of any size, in chunks of 16 (the last one may be shorter).

    ratio: a number, or 16 of them, one for each frame of a chunk. told: for a selector that needs more than pixels;
    indices: of the frames in the video, by which it is told. Raises ValueError where frames are not alike or
    there are none.
    """
    start, needs, told = 0, needs_of(selector), told or Told()
    for chunk in _chunks(frames):
        tiling = Tiling.of(*chunk[0].shape[:2])
        tiles = tiling.split(torch.from_numpy(np.stack(chunk)).to(device))
        valid = tiling.valid.to(device)
        ratios = list(ratio)[: len(chunk)] if isinstance(ratio, Sequence) and len(chunk) < CHUNK else ratio
        numbers = range(start, start + len(chunk))
        shown = numbers if indices is None else [indices[number] for number in numbers]
        context = told.context(needs, shown, tiling.split)
        gaze = look(selector, tiles, context, ratio=ratios, loss=loss, valid=valid, layout=tiling.layout)
        yield TiledGaze(gaze, start, tiling, tiles)
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
                f"frames: number {number} is {frame.dtype} {frame.shape}, expected uint8 (H, W, 3), "
                f"{shape} like the first"
            )
        chunk.append(frame)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
