"""One row a patch: was it looked at, how fast it moves, how much detail it has.

Columns: clip, cluster, frame, scale (32 ... 224), gazed (bool), flow (px a frame, the largest in the patch; NaN
where not asked for), variance (of the Laplacian 0 1 0 / 1 -4 1 / 0 1 0 of the luma in [0, 1]).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from analysis.studies.clips import Clip, gaze_at
from analysis.studies.flow import per_patch, speed_of
from autogaze.gaze import PATCH_SIZE, SCALES, grid_sides
from autogaze.selectors.base import Selector
from autogaze.selectors.pyramid import luma


def measure(selector: Selector, clips: Sequence[Clip], ratio: float, flow: bool = True) -> pd.DataFrame:
    """All patches of all clips, gazed at `ratio`."""
    parts = [_of_clip(selector, clip, ratio, flow) for clip in tqdm(clips, desc="patches", leave=False)]
    return pd.concat(parts, ignore_index=True)


def _of_clip(selector: Selector, clip: Clip, ratio: float, flow: bool) -> pd.DataFrame:
    tensor = clip.tensor()
    with torch.no_grad():
        masks = gaze_at(selector, [clip], ratio).scale_masks()
    flows = per_patch(speed_of(clip)) if flow else [None] * len(SCALES)
    parts = []
    for scale, mask, grid, speed in zip(SCALES, masks, laplacian_variance(tensor), flows, strict=True):
        frames, side = mask.shape[1], mask.shape[2]
        columns: dict[str, Any] = {
            "frame": np.repeat(np.arange(frames), side * side),
            "scale": scale,
            "gazed": mask[0].flatten().numpy(),
            "variance": grid.flatten().numpy(),
            "flow": np.nan if speed is None else speed.ravel(),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True).assign(clip=clip.name, cluster=clip.cluster)


def laplacian_variance(tensor: Tensor) -> list[Tensor]:
    """Of clips (1, T, 3, 224, 224) in [0, 1]: (T, g, g) a scale, the paper's measure of detail.

    The frame is convolved once, at 224 px; a patch's variance is over all pixels that it covers. At the edge
    of the frame, where there are no neighbours, the picture is mirrored.
    """
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])[None, None]
    edges = F.conv2d(F.pad(luma(tensor)[0][:, None], (1, 1, 1, 1), mode="reflect"), kernel)
    grids = []
    for side in grid_sides(SCALES, PATCH_SIZE):
        cell = edges.shape[-1] // side
        mean = F.avg_pool2d(edges, cell)
        grids.append((F.avg_pool2d(edges.square(), cell) - mean.square()).clamp_min(0)[:, 0])
    return grids
