"""What may go into AutoGaze; anything else is a ValueError naming argument, value and what is allowed."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def check_video(video: Tensor, max_frames: int | None) -> None:
    """Demand float (B >= 1, 1 <= T <= max_frames, 3, H, W) without NaN or infinity."""
    if not isinstance(video, Tensor):
        raise ValueError(f"video: {type(video).__name__}, expected a tensor from AutoGazeImageProcessor")
    shape = tuple(video.shape)
    if video.ndim != 5 or shape[2] != 3 or 0 in shape:
        raise ValueError(f"video: shape {shape}, expected (batch, frames, 3, height, width), none of them 0")
    if not video.is_floating_point():
        raise ValueError(
            f"video: dtype {video.dtype}, expected normalised floats from AutoGazeImageProcessor"
        )
    if max_frames is not None and shape[1] > max_frames:
        raise ValueError(
            f"video: {shape[1]} frames, at most {max_frames} in a clip; cut longer videos (autogaze.anyres)"
        )
    if not finite(video):
        raise ValueError("video: holds NaN or infinite pixels, expected finite values")


def finite(pixels: Tensor) -> bool:
    """Whether all are. A sum is a tenth of the work, and finite only where every pixel is; in half it may overflow."""
    return bool(torch.isfinite(pixels.sum())) or bool(torch.isfinite(pixels).all())


def budgets(ratio: float | Sequence[float] | None, frames: int, tokens: int) -> list[int]:
    """Tokens allowed in each frame: `max(1, int(ratio * tokens))`; all of them where `ratio` is None."""
    if ratio is None:
        return [tokens] * frames
    given: Any = ratio  # callers hand over what they read from files
    if isinstance(given, int | float | str) or getattr(given, "ndim", 1) == 0:
        ratios = [number("gazing_ratio", given)] * frames
    else:
        ratios = [number("gazing_ratio", value) for value in given]
        if len(ratios) != frames:
            raise ValueError(
                f"gazing_ratio: {len(ratios)} values, expected one number or {frames}, one a frame"
            )
    for value in ratios:
        if not 0 < value <= 1:
            raise ValueError(f"gazing_ratio={value}: expected 0 < ratio <= 1")
    # In float32, as published: 0.6 * 265 must land on the same side of 159 as it did there.
    return [max(1, int(torch.tensor(value, dtype=torch.float32) * tokens)) for value in ratios]


def check_loss(loss: float | None) -> float | None:
    """Demand a finite number, or None."""
    return None if loss is None else number("task_loss_requirement", loss)


def check_draw(temperature: float | None, top_k: int | None, heads_ahead: int) -> None:
    """Demand a temperature above 0, and of each head enough tokens for a group, as those differ; or None."""
    if temperature is not None and number("temperature", temperature) <= 0:
        raise ValueError(f"temperature={temperature}: expected a number above 0, or None for the best token")
    if top_k is not None and (not isinstance(top_k, int) or top_k < heads_ahead):
        raise ValueError(
            f"top_k={top_k}: expected at least {heads_ahead}, the tokens of a group, or None for all"
        )


def number(name: str, value: object) -> float:
    """A finite number, or a tensor of one; ValueError naming the argument for anything else."""
    single = isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex()
    if not (single or isinstance(value, int | float)) or not math.isfinite(float(value)):  # type: ignore[arg-type]
        raise ValueError(f"{name}={value!r}: expected a finite number")
    return float(value)  # type: ignore[arg-type]
