"""A gaze for encoders with another grid: other scales, another patch size.

The encoder's finest grid is covered with tiles of 14 x 14 of its patches (the frame padded with zeros at
right and bottom), each tile gazed as a clip of its own, and the gazes laid side by side, scale by scale.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor
from torch import cat as torch_cat

from autogaze.gaze import Gaze, grid_sides
from autogaze.model.config import AutoGazeConfig


@dataclass(frozen=True)
class Layout:
    """How a frame was cut: `across` x `across` tiles, for an encoder with these scales and patches."""

    across: int
    scales: tuple[int, ...]
    patch_size: int


def is_native(config: AutoGazeConfig, target_scales: Sequence[int], target_patch_size: int) -> bool:
    """Whether the encoder's vocabulary is the model's own, so that nothing needs cutting."""
    same_scales = tuple(target_scales) == config.scale_list
    return same_scales and grid_sides(target_scales, target_patch_size) == config.sides


def cut(
    video: Tensor, config: AutoGazeConfig, target_scales: Sequence[int], target_patch_size: int
) -> tuple[Tensor, Layout]:
    """Video (B, T, 3, S, S), S the last target scale -> tiles (B * n * n, T, 3, side, side) and layout.

    Raises ValueError when the frame is not S x S, or the scales are not as many as the model's, or fit no
    grid.
    """
    scales = tuple(int(scale) for scale in target_scales)
    _check(video, config, scales, target_patch_size)
    finest = config.sides[-1]
    across = math.ceil((scales[-1] // target_patch_size) / finest)
    side = finest * target_patch_size
    # Negative where the scale is no multiple of the patch: the encoder's convolution ignores that margin too.
    margin = across * side - scales[-1]
    video = F.pad(video, (0, margin, 0, margin))
    B, T = video.shape[:2]
    tiles = video.reshape(B, T, 3, across, side, across, side).permute(0, 3, 5, 1, 2, 4, 6)
    return tiles.reshape(-1, T, 3, side, side), Layout(across, scales, target_patch_size)


def lay(gaze: Gaze, layout: Layout) -> Gaze:
    """The gazes of all tiles, as `cut` ordered them -> one gaze a frame on the encoder's grid.

    Tokens come in ascending order: the order of gazing within a frame is lost. Tokens in the padding are
    dropped.
    """
    n = layout.across
    parts = []
    for mask, side in zip(gaze.scale_masks(), grid_sides(layout.scales, layout.patch_size), strict=True):
        tiles, T, g, _ = mask.shape
        whole = mask.reshape(tiles // (n * n), n, n, T, g, g).permute(0, 3, 1, 4, 2, 5)
        parts.append(whole.reshape(-1, T, n * g, n * g)[:, :, :side, :side].flatten(2))
    return Gaze.from_masks(torch_cat(parts, -1), layout.scales, layout.patch_size)


def _check(video: Tensor, config: AutoGazeConfig, scales: tuple[int, ...], patch: int) -> None:
    if len(scales) != len(config.scale_list) or list(scales) != sorted(scales):
        raise ValueError(
            f"target_scales={list(scales)}: expected {len(config.scale_list)} ascending numbers of pixels"
        )
    if patch < 1 or patch > scales[0]:
        raise ValueError(f"target_patch_size={patch}: expected 1 to {scales[0]}, the smallest target scale")
    if tuple(video.shape[-2:]) != (scales[-1], scales[-1]):
        raise ValueError(
            f"video: frames of {tuple(video.shape[-2:])}, expected a square of side {scales[-1]}, the last "
            "target scale"
        )
    across = math.ceil((scales[-1] // patch) / config.sides[-1])
    for scale, own in zip(scales, config.sides, strict=True):
        if scale // patch > across * own:
            raise ValueError(
                f"target_scales={list(scales)} with target_patch_size={patch}: a grid of {scale // patch} at "
                f"{scale} px does not fit {across} tiles of {own}; keep the scales in proportion 1:2:3.5:7"
            )
