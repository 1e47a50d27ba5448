"""`optical_flow`: patches in which things move fastest, a baseline of the paper.

The first frame has no earlier one to move from: there all scores are equal and the coarse tokens, which come
first in the list, are taken.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.pyramid import luma, stitch, tokens, unstitch


@dataclass(frozen=True)
class OpticalFlow(ScoredSelector):
    """Scores a token by the mean length of the flow in its area, in px a frame (dense inverse search, OpenCV).

    The tiles of a picture are laid together first, so that what crosses an edge is followed.
    """

    name: ClassVar[str] = "optical_flow"
    history: ClassVar[int | None] = 1

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """Px of the tile; 0 in the first frame."""
        pictures = (stitch(luma(clips), layout).clamp(0, 1) * 255).round().to(torch.uint8)
        speeds = torch.stack([speed(picture) for picture in pictures.cpu()]).to(clips.device)
        tiles = unstitch(speeds, layout)
        return tokens([F.adaptive_avg_pool2d(tiles, side) for side in grid_sides(SCALES, PATCH_SIZE)])


def speed(pictures: Tensor) -> Tensor:
    """Length of the flow from the frame before, float (T, H, W); pictures uint8 (T, H, W), grey."""
    import cv2

    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    frames = pictures.numpy()
    out = np.zeros(frames.shape, np.float32)
    for t in range(1, len(frames)):
        # Backwards, so that the flow lies where things are now and not where they were.
        flow = finder.calc(frames[t], frames[t - 1], None)
        out[t] = np.hypot(flow[..., 0], flow[..., 1])
    return torch.from_numpy(out)
