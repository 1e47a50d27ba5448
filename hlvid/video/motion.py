"""What a decoder knows of a frame's blocks before any pixel is looked at: motion, blocks coded anew, bytes.

FFmpeg exports motion vectors for H.264 and other codecs that it decodes in software in the MPEG family; a video whose
decoder exports none is refused, and not answered with zeros.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hlvid.errors import VideoError
from hlvid.video.reader import Video
from hlvid.video.streams import open_file

Maps = npt.NDArray[np.uint8]

FULL_MOTION = 64.0
"""Px a reference frame that are written as 255."""


def block_maps(path: Path, indices: Sequence[int], size: tuple[int, int]) -> Iterator[tuple[int, Maps]]:
    """(index, uint8 (H, W, 3)) of each distinct frame of `indices`, ascending, as shown and resized to `size`.

    Channels, 0 to 255: motion (`FULL_MOTION` px of the stored picture and more are 255), coded anew (255 where no
    block of another frame is referred to), bytes of the frame's packet a stored pixel (1 byte is 255).
    Raises VideoError where the file has no motion vectors at all.
    """
    with Video.open(path) as video:
        times, rotation, number = video.timestamps, video.rotation, video.stream_number
    wanted = sorted(set(indices))
    told = False
    with open_file(path) as container:
        stream: Any = container.streams[number or 0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        sizes: dict[int, int] = {}
        frames = _shown(container, stream, sizes)
        place = 0
        for count, frame in enumerate(frames):
            if place == len(wanted):
                break
            if count != wanted[place]:
                continue
            motion = _motion(frame)
            told = told or motion is not None
            if not told and place == len(wanted) - 1 > 0:  # before it is shown: nobody asks for one more
                raise VideoError(f"{path}: its decoder exports no motion vectors; use another selector")
            maps = _maps(frame, motion, sizes.get(frame.pts, 0))
            maps = np.rot90(maps, -rotation // 90) if rotation else maps
            resized = cv2.resize(np.ascontiguousarray(maps), size[::-1], interpolation=cv2.INTER_AREA)
            yield wanted[place], np.asarray(resized, np.uint8)
            place += 1
    if place < len(wanted):
        raise VideoError(f"{path}: motion of frame {wanted[place]} not reached, of {len(times)} frames")


def _shown(container: Any, stream: Any, sizes: dict[int, int]) -> Iterator[Any]:
    """Frames in the order shown; `sizes` is filled with the bytes of each packet by its time stamp."""
    for packet in container.demux(stream):
        if packet.pts is not None:
            sizes[packet.pts] = packet.size
        yield from packet.decode()


def _motion(frame: Any) -> Any:
    """The vectors of a frame, numpy records; None where it has none."""
    vectors = frame.side_data.get("MOTION_VECTORS")
    return None if vectors is None else vectors.to_ndarray()


def _maps(frame: Any, vectors: Any, size: int) -> Maps:
    """uint8 (height, width, 3) of one frame as stored, block by block of 4 x 4 px drawn at full size."""
    height, width = frame.height, frame.width
    out = np.zeros((-(-height // 4), -(-width // 4), 3), np.uint8)
    out[..., 1] = 255
    out[..., 2] = min(255, round(255 * size / (height * width)))
    if vectors is not None:
        scale = np.maximum(vectors["motion_scale"].astype(np.float64), 1)
        length = np.hypot(vectors["motion_x"] / scale, vectors["motion_y"] / scale)
        level = np.minimum(255, np.rint(length / FULL_MOTION * 255)).astype(np.uint8)
        left, top = (
            (vectors[f"dst_{axis}"] - vectors[side] // 2) // 4 for axis, side in (("x", "w"), ("y", "h"))
        )
        wide, high = np.maximum(vectors["w"] // 4, 1), np.maximum(vectors["h"] // 4, 1)
        order = np.argsort(level, kind="stable")  # of two references of one block the larger motion stands
        for x, y, w, h, value in zip(
            left[order], top[order], wide[order], high[order], level[order], strict=True
        ):
            rows, columns = slice(max(0, y), y + h), slice(max(0, x), x + w)
            out[rows, columns, 0], out[rows, columns, 1] = value, 0
    return np.asarray(cv2.resize(out, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
