"""Gazed patches of a clip: which there are, their pixels, their place. No patch is cut that nobody gazed at.

"Packed" means that padding is left out: tokens lie in one row of length M, ordered by clip, frame, gaze.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import Gaze, grid_sides


@dataclass(frozen=True)
class Grid:
    """The scales (px, coarse first) at which an encoder looks at a frame, and its patch side (px)."""

    scales: tuple[int, ...]
    patch_size: int

    def __post_init__(self) -> None:
        if self.patch_size < 1 or not self.scales or min(self.scales) < self.patch_size:
            raise ValueError(
                f"scales={self.scales}, patch_size={self.patch_size}: expected at least one scale, "
                "each of at least one patch"
            )

    @property
    def sides(self) -> tuple[int, ...]:
        """Patches along one side, per scale."""
        return grid_sides(self.scales, self.patch_size)

    @property
    def tokens(self) -> int:
        """Tokens of one frame over all scales."""
        return sum(side * side for side in self.sides)


@dataclass(frozen=True)
class Packed:
    """The M real tokens of a batch of gazes, without the padding.

    clip, frame, token, slot: long (M,); `token` counts within the frame, `slot` is the column in
    `Gaze.positions`. counts: tokens a frame, one tuple of T numbers a clip.
    A pixel's frame is that of its position; who sees whom goes by `counts`, the frames of the slots, as in the
    published model. The two differ where positions of another grid are read (`gaze_grid=released`).
    """

    clip: Tensor
    frame: Tensor
    token: Tensor
    slot: Tensor
    counts: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.clip)

    def select(self, first: int, last: int) -> "Packed":
        """The clips `first` (included) to `last` (excluded), renumbered from 0."""
        sizes = [sum(clip) for clip in self.counts]
        start = sum(sizes[:first])
        rows = slice(start, start + sum(sizes[first:last]))
        return Packed(
            self.clip[rows] - first,
            self.frame[rows],
            self.token[rows],
            self.slot[rows],
            self.counts[first:last],
        )

    def unpack(self, rows: Tensor, slots: int) -> Tensor:
        """Rows (M, C) back in their slots: (B, slots, C), zeros at padding."""
        out = rows.new_zeros(len(self.counts), slots, rows.shape[-1])
        out[self.clip, self.slot] = rows
        return out


def pack(gaze: Gaze) -> Packed:
    """List the real tokens of `gaze`."""
    clip, slot = (~gaze.padded).nonzero(as_tuple=True)
    position = gaze.positions[clip, slot]
    counts = tuple(tuple(row) for row in gaze.counts().tolist())
    return Packed(clip, position // gaze.tokens, position % gaze.tokens, slot, counts)


def check_fit(video: Tensor, gaze: Gaze, grid: Grid) -> None:
    """Raise ValueError unless `video` (B, T, 3, H, W) and `gaze` belong together and fit the grid."""
    if video.ndim != 5 or tuple(video.shape[:3]) != (gaze.batch, gaze.frames, 3):
        raise ValueError(
            f"video: shape {tuple(video.shape)}, expected ({gaze.batch}, {gaze.frames}, 3, H, W) "
            "as the gaze has it"
        )
    if not video.is_floating_point():
        raise ValueError(f"video: dtype {video.dtype}, expected a floating-point type")
    own = grid_sides(gaze.scales, gaze.patch_size)
    if own != grid.sides:
        raise ValueError(
            f"gaze: scales {gaze.scales} in patches of {gaze.patch_size} px are grids {own}; "
            f"this encoder has {grid.sides} (scales {grid.scales}, patch_size {grid.patch_size})"
        )
    last = gaze.frames * gaze.tokens - 1
    real = gaze.positions[~gaze.padded]
    if real.numel() and (int(real.min()) < 0 or int(real.max()) > last):
        raise ValueError(f"gaze.positions: {int(real.min())} to {int(real.max())}, allowed 0 to {last}")


def gather_patches(video: Tensor, packed: Packed, grid: Grid) -> Tensor:
    """Pixels of every packed token, at its own scale: video (B, T, 3, H, W) -> (M, 3 * patch * patch).

    Frames are resized (bicubic, align_corners False) scale by scale, and only those with a token at that
    scale.
    """
    T, channels = video.shape[1:3]
    patch = grid.patch_size
    out = video.new_empty(len(packed), channels * patch * patch)
    first = 0
    for scale, side in zip(grid.scales, grid.sides, strict=True):
        rows = ((packed.token >= first) & (packed.token < first + side * side)).nonzero(as_tuple=True)[0]
        if len(rows):
            cell = packed.token[rows] - first
            needed, which = torch.unique(packed.clip[rows] * T + packed.frame[rows], return_inverse=True)
            frames = resize(video.flatten(0, 1)[needed], scale)
            frames = frames[..., : side * patch, : side * patch]
            cells = frames.reshape(-1, channels, side, patch, side, patch)
            out[rows] = cells[which, :, cell // side, :, cell % side, :].flatten(1)
        first += side * side
    return out


def resize(frames: Tensor, size: int) -> Tensor:
    """Bicubic to `size` px a side, or untouched: (F, C, H, W) -> (F, C, size, size)."""
    if frames.shape[-2:] == (size, size):
        return frames
    return F.interpolate(frames, size=(size, size), mode="bicubic", align_corners=False)


def position_table(table: Tensor, sides: Sequence[int]) -> Tensor:
    """Position embeddings of all tokens of a frame: a checkpoint's (g * g, C) -> (tokens, C)."""
    side = int(len(table) ** 0.5)
    square = table.T.reshape(1, -1, side, side)
    parts = [table if s == side else resize(square, s).flatten(2)[0].T for s in sides]
    return torch.cat(parts)
