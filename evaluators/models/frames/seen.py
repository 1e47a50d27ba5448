"""What a model's processor really produced: frames and pixels, read off the tensors that enter the model.

Known are: patches with a grid (Qwen's family), (…, T, 3, H, W) arrays of whole frames (LLaVA-OneVision,
LLaVA-NeXT-Video), (N, 3, H, W) arrays with a frame each (InternVL), and lists of these (LLaVA's own code).
Anything else is None: not measured, which the audit does not take for right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

PIXELS = ("pixel_values_videos", "pixel_values", "images", "image_tensor", "media", "videos")
GRIDS = ("video_grid_thw", "image_grid_thw", "grid_thw", "grid_sizes")


@dataclass(frozen=True)
class Seen:
    """Frames of height x width px entered the model; by: the tensor that says so."""

    frames: int
    height: int
    width: int
    by: str


def measure(inputs: Mapping[str, Any], processor: Any) -> Seen | None:
    """From the arguments of a model's generate(); `processor` knows the patch sizes of a grid."""
    for name in GRIDS:
        if inputs.get(name) is not None:
            return _from_grid(inputs[name], processor, name)
    for name in PIXELS:
        if inputs.get(name) is not None:
            return _from_frames(inputs[name], name)
    return None


def _from_grid(grid: Any, processor: Any, name: str) -> Seen | None:
    """(n, 3) rows of patches in time, height and width: one row a video, or one an image."""
    rows = grid.tolist()
    patch = getattr(processor, "patch_size", None)
    if not isinstance(patch, int) or not rows or any(row[1:] != rows[0][1:] for row in rows):
        return None
    deep = int(getattr(processor, "temporal_patch_size", 1)) if name == "video_grid_thw" else 1
    frames = sum(row[0] for row in rows) * deep
    return Seen(frames, rows[0][1] * patch, rows[0][2] * patch, name)


def _from_frames(pixels: Any, name: str) -> Seen | None:
    """Whole frames, channels before height and width; a list holds videos or frames."""
    parts = list(pixels) if isinstance(pixels, list | tuple) else [pixels]
    if isinstance(pixels, Mapping) or not parts or not all(hasattr(part, "shape") for part in parts):
        return None
    shapes = [tuple(part.shape) for part in parts]
    if any(len(shape) < 3 or shape[-3] != 3 or shape[-2:] != shapes[0][-2:] for shape in shapes):
        return None
    return Seen(sum(prod(shape[:-3]) for shape in shapes), shapes[0][-2], shapes[0][-1], name)
