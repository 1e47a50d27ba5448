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
from autogaze.overlay import COLOURS
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
        pictures.append(gazed(frame, mine))
        by_scale = {f"tokens_{s}": int((mine.scale == k).sum()) for k, s in enumerate(SCALES)}
        numbers.append(
            {"clip": clip.name, "frame": t, "loss": float(losses[t]), "ratio": len(mine.scale) / 265}
            | by_scale
        )
    return Strip(clip.frames, np.stack(pictures), _bytes(rebuilt), numbers)


def gazed(frame: Pictures, boxes: Boxes, factor: int = 2) -> Pictures:
    """The frame `factor` times enlarged: grey and dim where nobody looked, patches tinted and outlined by scale."""
    big = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    out = np.repeat(big.mean(2, keepdims=True) * 0.3 + 8, 3, axis=2)
    order = boxes.scale.argsort(stable=True).tolist()
    edges = (boxes.xyxy * factor).round().int().tolist()
    for i in order:
        left, top, right, bottom = edges[i]
        level = int(boxes.scale[i])
        share = 0.5 + 0.5 * level / (len(SCALES) - 1)  # what is seen finely is shown brightly
        area = (slice(top, bottom), slice(left, right))
        out[area] = big[area] * share * 0.9 + np.array(COLOURS[level], np.float32) * 0.1
    image = out.clip(0, 255).astype(np.uint8)
    for i in order:
        left, top, right, bottom = edges[i]
        colour = COLOURS[int(boxes.scale[i])]
        cv2.rectangle(
            image, (left, top), (right - 1, bottom - 1), colour, 2 if int(boxes.scale[i]) < 2 else 1
        )
    return image


def _bytes(pictures: Tensor) -> Pictures:
    """Float (T, 3, H, W) in [0, 1] -> uint8 (T, H, W, 3)."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
