"""The closed-form reconstructor: the picture as somebody would know it who saw only the gazed patches.

A patch of a coarse scale is shown as that scale shows it: its area averaged down to `patch_size` pixels a
side and interpolated back, each patch for itself. No pixel outside the gazed patches has any influence on
the picture, so a reader of the picture cannot know more than the gaze allows. There is nothing to train and
nothing random.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import Gaze

GREY = 0.5


def rebuild(clips: Tensor, gaze: Gaze, memory: bool = False, grey: float = GREY) -> Tensor:
    """Paint each pixel from the finest gazed patch that covers it.

    clips: float (B, T, C, S, S) with S = `gaze.scales[-1]`; any value range, [0, 1] by habit.
    memory: pixels that the finest scale does not show now are taken from the newest earlier frame in which
        it did; failing that from the coarser scales (the finest of this frame, else of the newest earlier
        frame).
    grey: the value of pixels that nobody looked at.
    Returns a new tensor like `clips`. Raises ValueError where the shapes do not fit the gaze.
    """
    _check(clips, gaze)
    *coarse, finest = gaze.scale_masks()
    picture = torch.full_like(clips, grey)
    for mask in coarse:
        _paint(picture, clips, mask, gaze.patch_size)
    if not memory:
        _paint(picture, clips, finest, gaze.patch_size)
        return picture
    seen_coarse = torch.zeros(
        clips.shape[0], clips.shape[1], *clips.shape[-2:], dtype=torch.bool, device=clips.device
    )
    for mask in coarse:
        seen_coarse |= _to_pixels(mask, gaze.scales[-1])
    return _remember(clips, _to_pixels(finest, gaze.scales[-1]), picture, seen_coarse)


def _paint(picture: Tensor, clips: Tensor, mask: Tensor, patch: int) -> None:
    """Write the patches set in `mask` (bool (B, T, g, g)) into `picture`, at `patch` x `patch` px each."""
    clip, frame, row, col = mask.nonzero(as_tuple=True)
    if not len(clip):
        return
    source, target = _cells(clips, mask.shape[-1]), _cells(picture, mask.shape[-1])
    pixels = source[clip, frame, :, row, :, col, :]  # (M, C, cell, cell)
    cell = pixels.shape[-1]
    if cell != patch:
        down, up = (matrix.to(pixels) for matrix in resampling(cell, patch))
        pixels = up @ (down @ pixels @ down.T) @ up.T
    target[clip, frame, :, row, :, col, :] = pixels


def resampling(cell: int, patch: int) -> tuple[Tensor, Tensor]:
    """Area averaging (patch, cell) and bilinear interpolation (cell, patch) of one axis, as matrices.

    Both are separable and linear: two products a patch are several times faster than the general operators.
    """
    down = F.adaptive_avg_pool1d(torch.eye(cell), patch).T
    up = F.interpolate(torch.eye(patch)[None], size=cell, mode="linear", align_corners=False)[0].T
    return down, up


def _cells(clips: Tensor, side: int) -> Tensor:
    """A view (B, T, C, side, cell, side, cell) of (B, T, C, S, S)."""
    B, T, C, S = clips.shape[:4]
    return clips.view(B, T, C, side, S // side, side, S // side)


def _to_pixels(mask: Tensor, size: int) -> Tensor:
    """Bool (B, T, g, g) -> bool (B, T, size, size)."""
    cell = size // mask.shape[-1]
    return mask.repeat_interleave(cell, -2).repeat_interleave(cell, -1)


def _remember(clips: Tensor, seen_fine: Tensor, picture: Tensor, seen_coarse: Tensor) -> Tensor:
    """Carry sharp pixels, else coarse ones, from frame to frame; fills `picture` in place."""
    sharp, sharp_known = clips[:, 0], torch.zeros_like(seen_fine[:, 0])
    coarse, coarse_known = picture[:, 0], torch.zeros_like(seen_coarse[:, 0])
    for t in range(clips.shape[1]):
        sharp = torch.where(seen_fine[:, t, None], clips[:, t], sharp)
        sharp_known = sharp_known | seen_fine[:, t]
        # Where nothing coarse is known the picture holds grey, in every frame alike.
        keep = coarse_known & ~seen_coarse[:, t]
        coarse = torch.where(keep[:, None], coarse, picture[:, t])
        coarse_known = coarse_known | seen_coarse[:, t]
        picture[:, t] = torch.where(sharp_known[:, None], sharp, coarse)
    return picture


def _check(clips: Tensor, gaze: Gaze) -> None:
    side = gaze.scales[-1]
    if clips.ndim != 5 or clips.shape[:2] != (gaze.batch, gaze.frames) or clips.shape[-2:] != (side, side):
        raise ValueError(
            f"clips: shape {tuple(clips.shape)}, expected ({gaze.batch}, {gaze.frames}, C, {side}, {side}) "
            "as the gaze has it"
        )
    if not clips.is_floating_point():
        raise ValueError(f"clips: dtype {clips.dtype}, expected a floating-point type")
    for scale in gaze.scales:
        if side % (scale // gaze.patch_size):
            raise ValueError(
                f"scales: the {scale // gaze.patch_size} patches of scale {scale} do not divide {side} px"
            )
