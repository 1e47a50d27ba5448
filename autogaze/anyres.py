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

CHUNK = 16
TILE = 224
# A tile of 16 frames at ratio 1: keys and values of 4 layers (47 MB), pixels and trunk (60 MB), scores (36
# MB).
BYTES_PER_TILE = 160 << 20
Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TiledGaze:
    """The gaze of one chunk of a video.

    gaze: batch = rows * columns tiles, row-major. start: number of the chunk's first frame. height, width: of
    the frames, in pixels. pixels: float (tiles, T, 3, 224, 224) in [0, 1], what was gazed at.
    """

    gaze: Gaze
    start: int
    rows: int
    columns: int
    height: int
    width: int
    pixels: Tensor

    def boxes(self) -> Boxes:
        """Gazed patches in pixels of the frame; at the right and bottom they may reach into the padding."""
        return self.gaze.boxes(tile_boxes(self.rows, self.columns))

    def picture(self, tiles: Tensor) -> Tensor:
        """Tiles (rows * columns, T, C, 224, 224) laid out as frames (T, C, height, width)."""
        _, T, C, side, _ = tiles.shape
        grid = tiles.view(self.rows, self.columns, T, C, side, side).permute(2, 3, 0, 4, 1, 5)
        return grid.reshape(T, C, self.rows * side, self.columns * side)[..., : self.height, : self.width]


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
        tiles, rows, columns, valid = cut(torch.from_numpy(np.stack(chunk)).to(device))
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
                layout=(rows, columns) if size >= len(tiles) else None,
            )
            for at in range(0, len(tiles), size)
        ]
        height, width = chunk[0].shape[:2]
        yield TiledGaze(Gaze.cat(parts), start, rows, columns, height, width, tiles)
        start += len(chunk)
    if start == 0:
        raise ValueError("frames: none, expected at least one")


def cut(chunk: Tensor) -> tuple[Tensor, int, int, Tensor]:
    """uint8 (T, H, W, 3) -> tiles float (rows * columns, T, 3, 224, 224) in [0, 1], rows, columns, and `valid`.

    The last row and column are repeated to whole tiles: zeros would make an edge that draws the eye. valid:
    bool (tiles, 265), False at tokens all padding.
    """
    T, height, width, _ = chunk.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    down = torch.arange(rows * TILE, device=chunk.device).clamp(max=height - 1)
    right = torch.arange(columns * TILE, device=chunk.device).clamp(max=width - 1)
    padded = chunk[:, down][:, :, right].permute(0, 3, 1, 2)
    grid = padded.reshape(T, 3, rows, TILE, columns, TILE).permute(2, 4, 0, 1, 3, 5)
    tiles = grid.reshape(rows * columns, T, 3, TILE, TILE).float() / 255
    return tiles, rows, columns, visible_tokens(rows, columns, height, width).to(chunk.device)


def tile_boxes(rows: int, columns: int) -> Tensor:
    """Float (rows * columns, 4): left, top, right, bottom of every tile in pixels of the padded frame."""
    top, left = torch.meshgrid(torch.arange(rows) * TILE, torch.arange(columns) * TILE, indexing="ij")
    corner = torch.stack([left, top], -1).view(-1, 2).float()
    return torch.cat([corner, corner + TILE], 1)


def visible_tokens(rows: int, columns: int, height: int, width: int) -> Tensor:
    """Bool (tiles, 265): tokens whose patch shows something of the picture."""
    every = Gaze.from_masks(torch.ones(rows * columns, 1, 265, dtype=torch.bool))
    left, top = every.boxes(tile_boxes(rows, columns)).xyxy[:, :2].unbind(1)
    return ((left < width) & (top < height)).view(rows * columns, 265)


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
