"""`Gaze`: which patches of a clip were looked at. The type that flows between selectors, encoders, pictures.

A frame is seen at several scales (32, 64, 112 and 224 px), each cut in square patches of 16 px, which gives
4 + 16 + 49 + 196 = 265 tokens a frame: coarse scales first, row-major inside a scale. A gaze lists the tokens
chosen, frame after frame; token k of frame t has index `265 * t + k`. The clips of a batch share the number
of slots per frame, so a clip that needed fewer of them is padded.

    >>> masks = torch.zeros(1, 2, 265, dtype=torch.bool)      # one clip, two frames
    >>> masks[0, :, 3] = True                                  # the lower right quarter at 32 px, in both
    >>> gaze = Gaze.from_masks(masks)
    >>> gaze.per_frame, gaze.positions.tolist()
    ((1, 1), [[3, 268]])
    >>> gaze.boxes().xyxy[0].tolist()
    [112.0, 112.0, 224.0, 224.0]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = (32, 64, 112, 224)
PATCH_SIZE = 16


def grid_sides(scales: Sequence[int] = SCALES, patch_size: int = PATCH_SIZE) -> tuple[int, ...]:
    """Patches along one side at every scale: (2, 4, 7, 14) for the published vocabulary."""
    return tuple(scale // patch_size for scale in scales)


def tokens_per_frame(scales: Sequence[int] = SCALES, patch_size: int = PATCH_SIZE) -> int:
    """Tokens of one frame over all scales: 265 for the published vocabulary."""
    return sum(side * side for side in grid_sides(scales, patch_size))


class Boxes(NamedTuple):
    """Gazed patches as rectangles; M rows, ordered by clip, frame, then order of gaze.

    xyxy: float (M, 4), left, top, right, bottom in pixels.
    clip, frame, scale: long (M,); `scale` is the index into `Gaze.scales`.
    """

    xyxy: Tensor
    clip: Tensor
    frame: Tensor
    scale: Tensor


@dataclass(frozen=True, eq=False)
class Gaze:
    """The patches chosen in a batch of clips.

    positions: long (B, N), token index in the clip, `tokens * t + k`; in range but meaningless where padded.
    per_frame: T slot counts, shared by the batch; they sum to N.
    padded: bool (B, N), True at slots that hold no token.
    scales, patch_size: the vocabulary, in pixels; the frame is a square of side `scales[-1]`.

    Raises ValueError when the shapes do not fit each other.
    """

    positions: Tensor
    per_frame: tuple[int, ...]
    padded: Tensor
    scales: tuple[int, ...] = SCALES
    patch_size: int = PATCH_SIZE

    def __post_init__(self) -> None:
        if self.positions.ndim != 2 or self.positions.shape != self.padded.shape:
            raise ValueError(
                f"positions {tuple(self.positions.shape)} and padded {tuple(self.padded.shape)}: "
                "both must have the same shape (B, N)"
            )
        if not self.per_frame or sum(self.per_frame) != self.positions.shape[1]:
            raise ValueError(
                f"per_frame {self.per_frame}: one count a frame, summing to the {self.positions.shape[1]} "
                "slots of positions, is needed"
            )

    @property
    def batch(self) -> int:
        """Clips (or tiles) in the batch."""
        return self.positions.shape[0]

    @property
    def frames(self) -> int:
        """Frames of a clip."""
        return len(self.per_frame)

    @property
    def tokens(self) -> int:
        """Tokens of one frame over all scales."""
        return tokens_per_frame(self.scales, self.patch_size)

    @classmethod
    def from_masks(
        cls, masks: Tensor, scales: Sequence[int] = SCALES, patch_size: int = PATCH_SIZE
    ) -> "Gaze":
        """The gaze that holds exactly the tokens set in `masks` (bool (B, T, tokens)), in ascending order."""
        tokens = tokens_per_frame(scales, patch_size)
        if masks.ndim != 3 or masks.shape[1] == 0 or masks.shape[2] != tokens:
            raise ValueError(f"masks: shape {tuple(masks.shape)}, expected (B, T >= 1, {tokens})")
        masks = masks.bool()
        slots = [int(count) for count in masks.sum(-1).amax(0)] if len(masks) else [0] * masks.shape[1]
        # A stable sort of "not set" puts each frame's tokens first, in ascending order.
        order = (~masks).to(torch.uint8).argsort(dim=-1, stable=True)
        counts = masks.sum(-1)
        positions, padded = [], []
        for t, n in enumerate(slots):
            empty = torch.arange(n, device=masks.device) >= counts[:, t, None]
            positions.append((order[:, t, :n] + tokens * t).masked_fill(empty, tokens * t))
            padded.append(empty)
        return cls(torch.cat(positions, 1), tuple(slots), torch.cat(padded, 1), tuple(scales), patch_size)

    def masks(self) -> Tensor:
        """Bool (B, T, tokens): True where a token is gazed."""
        flat = torch.zeros(
            self.batch, self.frames * self.tokens, dtype=torch.bool, device=self.positions.device
        )
        clip, slot = (~self.padded).nonzero(as_tuple=True)
        flat[clip, self.positions[clip, slot]] = True
        return flat.view(self.batch, self.frames, self.tokens)

    def scale_masks(self) -> list[Tensor]:
        """One bool (B, T, g, g) a scale, coarse first, g the patches along a side at that scale."""
        sides = grid_sides(self.scales, self.patch_size)
        parts = torch.split(self.masks(), [side * side for side in sides], dim=-1)
        return [part.reshape(*part.shape[:2], side, side) for part, side in zip(parts, sides, strict=True)]

    def counts(self) -> Tensor:
        """Long (B, T): tokens gazed in every frame, padding not counted."""
        per_frame = torch.split((~self.padded).long(), list(self.per_frame), dim=1)
        return torch.stack([part.sum(1) for part in per_frame], dim=1)

    def ratio(self, of: Literal["all_scales", "finest"] = "all_scales") -> float:
        """Tokens gazed over tokens there are, in [0, ...]; the paper uses both conventions.

        `all_scales` divides by all 265 tokens of a frame (what `gazing_ratio` means, at most 1); `finest` by
        the 196 patches of the finest scale, all a single-scale encoder would have processed (up to 265 /
        196).
        """
        if of not in ("all_scales", "finest"):
            raise ValueError(f"of={of!r}: expected 'all_scales' or 'finest'")
        finest = grid_sides(self.scales, self.patch_size)[-1] ** 2
        whole = self.batch * self.frames * (self.tokens if of == "all_scales" else finest)
        return float((~self.padded).sum()) / whole if whole else 0.0

    def boxes(self, tiles: Tensor | None = None) -> Boxes:
        """Gazed patches in pixels of the original frame.

        tiles: float (B, 4), the rectangle (left, top, right, bottom) that every clip of the batch covers in
        the original frame; without it each clip is its own picture, a square of side `scales[-1]`.
        """
        device = self.positions.device
        if tiles is None:
            side = float(self.scales[-1])
            tiles = torch.tensor([0.0, 0.0, side, side], device=device).expand(self.batch, 4)
        if tiles.shape != (self.batch, 4):
            raise ValueError(f"tiles: shape {tuple(tiles.shape)}, expected ({self.batch}, 4)")
        tiles = tiles.to(device)
        clip, slot = (~self.padded).nonzero(as_tuple=True)
        position = self.positions[clip, slot]
        frame, token = position // self.tokens, position % self.tokens
        unit, scale = self._unit_boxes(device)
        origin, size = tiles[clip, :2], tiles[clip, 2:] - tiles[clip, :2]
        xyxy = unit[token] * torch.cat([size, size], 1) + torch.cat([origin, origin], 1)
        return Boxes(xyxy, clip, frame, scale[token])

    def _unit_boxes(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Of every token: its rectangle in a frame of side 1, float (tokens, 4), and its scale's index."""
        rectangles, scales = [], []
        for index, scale in enumerate(self.scales):
            side = scale // self.patch_size
            # patch / scale, not 1 / side: an encoder whose scale is no multiple of its patch leaves a margin.
            step = self.patch_size / scale
            cell = torch.arange(side * side, device=device)
            corner = torch.stack([cell % side, cell // side], 1) * step
            rectangles.append(torch.cat([corner, corner + step], 1))
            scales.append(torch.full_like(cell, index))
        return torch.cat(rectangles), torch.cat(scales)

    def within(self, shown: Tensor) -> Self:
        """Only the tokens that `shown` (bool (B, tokens)) allows; the others' slots become padding."""
        hidden = ~shown.gather(1, self.positions % self.tokens)
        return replace(self, padded=self.padded | hidden)

    @classmethod
    def cat(cls, gazes: Sequence["Gaze"]) -> "Gaze":
        """Gazes of the same frames and vocabulary as one batch, the order of gazing kept.

        Raises ValueError where there are none, or they differ in frames or vocabulary.
        """
        kinds = {(gaze.frames, gaze.scales, gaze.patch_size) for gaze in gazes}
        if len(kinds) != 1:
            raise ValueError(
                f"gazes: {len(gazes)} of (frames, scales, patch size) {kinds}, expected one kind"
            )
        first = gazes[0]
        slots = tuple(max(counts) for counts in zip(*(gaze.per_frame for gaze in gazes), strict=True))
        positions, padded = [], []
        for gaze in gazes:
            place = torch.split(gaze.positions, list(gaze.per_frame), dim=1)
            empty = torch.split(gaze.padded, list(gaze.per_frame), dim=1)
            room = [n - part.shape[1] for n, part in zip(slots, place, strict=True)]
            positions.append(torch.cat([F.pad(x, (0, n)) for x, n in zip(place, room, strict=True)], 1))
            padded.append(
                torch.cat([F.pad(x, (0, n), value=True) for x, n in zip(empty, room, strict=True)], 1)
            )
        return cls(torch.cat(positions), slots, torch.cat(padded), first.scales, first.patch_size)

    def to(self, device: torch.device | str) -> Self:
        """The same gaze on another device."""
        return replace(self, positions=self.positions.to(device), padded=self.padded.to(device))

    def to_published(self) -> dict[str, Any]:
        """The published package's output dict.

        gazing_pos long (B, N), num_gazing_each_frame long (T,), if_padded_gazing bool (B, N), gazing_mask:
        one float 0/1 tensor (B, T, g * g) a scale.
        """
        return {
            "gazing_pos": self.positions,
            "num_gazing_each_frame": torch.tensor(self.per_frame, device=self.positions.device),
            "if_padded_gazing": self.padded,
            "gazing_mask": [mask.flatten(-2).float() for mask in self.scale_masks()],
        }

    @classmethod
    def from_published(
        cls, output: Mapping[str, Any], scales: Sequence[int] = SCALES, patch_size: int = PATCH_SIZE
    ) -> "Gaze":
        """Read the published output dict; `scales` and `patch_size` are those of the call that made it.

        Raises ValueError naming the entry that is missing, or positions that no frame has.
        """
        for key in ("gazing_pos", "num_gazing_each_frame", "if_padded_gazing"):
            if key not in output:
                raise ValueError(f"output: no entry {key!r}; found {sorted(output)}")
        per_frame = tuple(int(count) for count in output["num_gazing_each_frame"])
        padded = output["if_padded_gazing"].bool()
        positions = output["gazing_pos"].long().masked_fill(padded, 0)
        most = len(per_frame) * tokens_per_frame(scales, patch_size)
        if positions.numel() and not 0 <= int(positions.min()) <= int(positions.max()) < most:
            raise ValueError(
                f"gazing_pos: {int(positions.min())} to {int(positions.max())}, allowed 0 to {most - 1}"
            )
        return cls(positions, per_frame, padded, tuple(scales), patch_size)
