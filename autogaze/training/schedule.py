"""What changes over a run: learning rate, temperature, stop thresholds, and how much each clip may be gazed.

Every draw comes from a generator that the caller seeds with the run's seed and the step, never from one that
is carried along: a run resumed at step n draws what an uninterrupted one would have.
"""

import math
from typing import Literal

import numpy as np

RATIO_RANGE = (0.02, 0.2)
"""Least and largest mean gazing ratio of a clip, as in the paper."""

FIRST_FRAME = 10.0
LATER_FRAMES = 3.0
"""Dirichlet weights of the first frame, which has everything to show, and of the others (paper)."""

TOKENS = 265
Shape = Literal["linear", "cosine", "constant", "held"]


def rate(step: int, steps: int, peak: float, warmup: int = 0, shape: Shape = "linear") -> float:
    """Learning rate of step 0 to steps - 1: up to `peak` within `warmup` steps, then down towards 0.

    Raises ValueError for an unknown shape.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if shape == "constant":
        return peak
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    if shape == "linear":
        return peak * (1 - done)
    if shape == "held":  # for half of the run
        return peak * max(0.02, min(1.0, 2 * (1 - done)))
    if shape == "cosine":
        return peak * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
    raise ValueError(f"shape={shape!r}: expected linear, cosine, constant or held")


def between(step: int, steps: int, first: float, last: float) -> float:
    """From `first` at step 0 to `last` at the last step, in a straight line (temperatures)."""
    return first + (last - first) * step / max(1, steps - 1)


def mean_ratio(draw: np.random.Generator, low: float, high: float) -> float:
    """A clip's mean gazing ratio: exponential, cut to [low, high].

    The exponential's own mean beyond `low` is a third of the range, which makes small ratios common and still shows
    the large ones. The paper says "exponential in [0.02, 0.2]" and no more.
    """
    width, scale = high - low, (high - low) / 3
    # The inverse of the distribution function, cut: one draw, no rejections.
    uniform = draw.random() * (1 - math.exp(-width / scale))
    return low - scale * math.log1p(-uniform)


def frame_budgets(
    frames: int,
    draw: np.random.Generator,
    low: float = RATIO_RANGE[0],
    high: float = RATIO_RANGE[1],
    tokens: int = TOKENS,
) -> tuple[int, ...]:
    """Tokens of each frame: the clip's mean ratio, shared over frames by Dirichlet(10, 3, 3, ...)."""
    mean = mean_ratio(draw, low, high)
    weights = draw.dirichlet([FIRST_FRAME] + [LATER_FRAMES] * (frames - 1))
    return tuple(min(tokens, max(1, int(mean * frames * weight * tokens))) for weight in weights)
