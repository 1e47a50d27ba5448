"""How fast things move at each pixel and in each patch: exact where a clip knows, else estimated by DIS.

As in the paper the flow of a pixel is the larger of the forward and the backward one, and that of a patch its
largest pixel. FlyingChairs gives the forward flow only; the backward one is the same vectors carried to where
they point.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from analysis.studies.clips import Clip, centre, fit
from analysis.studies.scenes import SIDE, Flow, Pictures
from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from hlvid.errors import DatasetError


def speed_of(clip: Clip) -> Flow:
    """Px per frame at each pixel: the clip's own where it is known, else OpenCV's DIS optical flow."""
    return clip.flow if clip.flow is not None else estimate(clip.frames)


def estimate(frames: Pictures) -> Flow:
    """The larger of DIS flow forward and backward, float32 (T, H, W); zeros for a single frame."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    speed = np.zeros(frames.shape[:3], np.float32)
    for t in range(len(grey) - 1):
        for a, b in ((t, t + 1), (t + 1, t)):
            speed[a] = np.maximum(speed[a], np.linalg.norm(dis.calc(grey[a], grey[b], None), axis=-1))
    return speed


def per_patch(speed: Flow) -> list[Flow]:
    """The largest value in every patch of every scale: float32 (T, g, g) each, coarse first."""
    grids = []
    for side in grid_sides(SCALES, PATCH_SIZE):
        cell = speed.shape[-1] // side
        grids.append(speed.reshape(-1, side, cell, side, cell).max((2, 4)))
    return grids


def flying_chairs(folder: Path, limit: int) -> Iterator[Clip]:
    """Pairs of FlyingChairs as clips of two frames with their flow, scaled to 224 px.

    folder: holds `*_img1.ppm`, `*_img2.ppm`, `*_flow.flo`, itself or in `data/`. Raises DatasetError where there
    are none or one is damaged.
    """
    found = sorted(folder.rglob("*_img1.ppm"))[:limit]
    if not found:
        raise DatasetError(f"{folder}: no *_img1.ppm; give the unpacked folder of FlyingChairs")
    for first in found:
        stem = first.name.removesuffix("_img1.ppm")
        pair = [cv2.imread(str(first.with_name(f"{stem}_img{k}.ppm"))) for k in (1, 2)]
        pictures = [picture[..., ::-1] for picture in pair if picture is not None]
        if len(pictures) < 2:
            raise DatasetError(f"{first}: the pair cannot be read; unpack FlyingChairs again")
        yield _pair(stem, np.stack(pictures), read_flo(first.with_name(f"{stem}_flow.flo")))


def read_flo(path: Path) -> Flow:
    """A Middlebury .flo file: float32 (H, W, 2). Raises DatasetError for anything else."""
    found = cv2.readOpticalFlow(str(path)) if path.is_file() else None
    if found is None or not found.size:
        raise DatasetError(f"{path}: missing, cut short or not a .flo file; unpack FlyingChairs again")
    return np.asarray(found, np.float32)


def backward(flow: Flow) -> Flow:
    """Speed (H, W) at the pixels that the vectors of `flow` (H, W, 2) point to; 0 where none arrives."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width]
    to_x, to_y = np.rint(x + flow[..., 0]).astype(int), np.rint(y + flow[..., 1]).astype(int)
    inside = (to_x >= 0) & (to_x < width) & (to_y >= 0) & (to_y < height)
    speed = np.zeros((height, width), np.float32)
    np.maximum.at(speed, (to_y[inside], to_x[inside]), np.linalg.norm(flow, axis=-1)[inside])
    return speed


def _pair(name: str, pictures: Pictures, flow: Flow) -> Clip:
    height, width = fit(pictures.shape[1], pictures.shape[2], SIDE)
    factor = width / pictures.shape[2]
    frames = np.stack([cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures])
    speeds = np.stack([np.linalg.norm(flow, axis=-1), backward(flow)]) * factor
    small = np.stack([cv2.resize(s, (width, height), interpolation=cv2.INTER_AREA) for s in speeds])
    cut = centre(small[..., None], SIDE)[..., 0]
    return Clip(f"chairs {name}", f"chairs {name}", centre(frames, SIDE), cut.astype(np.float32))
