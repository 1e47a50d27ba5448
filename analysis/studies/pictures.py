"""Frames with their gaze drawn on them, for figures that show rather than count."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from analysis.studies.clips import Clip, gaze_at
from analysis.studies.losses import loss_of
from analysis.studies.scenes import Pictures
from autogaze.gaze import SCALES, Boxes
from autogaze.overlay import gazed
from autogaze.reconstruction.paste import rebuild
from autogaze.selectors.base import Selector


@dataclass(frozen=True)
class Strip:
    """Of T frames: the frames, gazed, rebuilt, uint8 (T, h, w, 3) each; numbers: one row a frame."""

    frames: Pictures
    gazed: Pictures
    rebuilt: Pictures
    numbers: list[dict[str, Any]]


def strip(selector: Selector, clip: Clip, ratio: float) -> Strip:
    """Gaze at a clip and draw every frame of it."""
    tensor = clip.tensor()
    with torch.no_grad():
        gaze = gaze_at(selector, [clip], ratio)
        rebuilt = rebuild(tensor, gaze, memory=True)[0]
    losses, boxes = loss_of(tensor, gaze)[0], gaze.boxes()
    pictures, numbers = [], []
    for t, frame in enumerate(clip.frames):
        mine = Boxes(*(part[boxes.frame == t] for part in boxes))
        big = np.asarray(cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
        pictures.append(gazed(big, mine, 2))
        by_scale = {f"tokens_{s}": int((mine.scale == k).sum()) for k, s in enumerate(SCALES)}
        numbers.append(
            {"clip": clip.name, "frame": t, "loss": float(losses[t]), "ratio": len(mine.scale) / 265}
            | by_scale
        )
    return Strip(clip.frames, np.stack(pictures), _bytes(rebuilt), numbers)


def _bytes(pictures: Tensor) -> Pictures:
    """Float (T, 3, H, W) in [0, 1] -> uint8 (T, H, W, 3)."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
