"""Which frames of a video a model looks at: small named policies, each a pure function of counts.

>>> uniform_linspace(900, 4), uniform_midpoint(900, 4)   # first and last included; the middle of four equal parts
([0, 300, 599, 899], [112, 337, 562, 787])
>>> distinct("uniform_linspace", 3, 4)                  # a clip shorter than asked gives what it has
[0, 1, 2]
>>> len(fps_capped(900, 30.0, 2.0, cap=128))            # one frame every half second
60

Every index counts decoded frames in presentation order, as `hlvid.video.Video` does. A result row must record
the policy's name beside the number of frames: the first two differ by up to half a segment.
"""

import math
from typing import Literal

import numpy as np

from hlvid.errors import HlvidError

Sampling = Literal["uniform_linspace", "uniform_midpoint"]
"""The even policies, by name."""


def distinct(policy: str, n: int, count: int) -> list[int]:
    """At most `count` different indices of `n` frames, ascending: all of a clip that has fewer.

    policy: "uniform_linspace" or "uniform_midpoint". Raises HlvidError if `n` or `count` is below 1.
    """
    _check(n, count)
    policies = {"uniform_linspace": uniform_linspace, "uniform_midpoint": uniform_midpoint}
    if policy not in policies:
        raise HlvidError(f"sampling '{policy}' is unknown; allowed: {', '.join(policies)}")
    return policies[policy](n, min(n, count))


def uniform_linspace(n: int, count: int) -> list[int]:
    """`count` evenly spaced indices of `n` frames, first and last included, rounded as VILA and NVILA do.

    That is `np.round(np.linspace(0, n - 1, count))` (VILA's `opencv_extract_frames`; halves go to the even
    neighbour). As published, frames repeat when `count > n`, and a single frame is the first one.

    Raises HlvidError if `n` or `count` is below 1.
    """
    _check(n, count)
    return [int(i) for i in np.round(np.linspace(0, n - 1, count)).astype(np.int64)]


def uniform_midpoint(n: int, count: int) -> list[int]:
    """The middle frame of each of `count` equal parts of `n` frames: `floor((i + 1/2) * n / count)`.

    Never repeats a frame, so it raises HlvidError if `count > n`, as well as if either is below 1.
    """
    _check(n, count)
    if count > n:
        raise HlvidError(
            f"uniform_midpoint: {count} frames asked of a video of {n}; "
            f"ask for at most {n}, or use uniform_linspace, which repeats frames"
        )
    return [(2 * i + 1) * n // (2 * count) for i in range(count)]


def fps_capped(n: int, fps: float, rate: float, cap: int) -> list[int]:
    """Frames at `rate` per second of a video of `n` frames at `fps`; above `cap` frames, `cap` uniform ones.

    The k-th index is the frame on show at `k / rate` seconds, so a rate above `fps` gives every frame once.
    Beyond `cap` the policy becomes `uniform_linspace(n, cap)`.

    Raises HlvidError if `n` or `cap` is below 1, or `fps` or `rate` is not a positive finite number.
    """
    _check(n, cap)
    for name, value in (("fps", fps), ("rate", rate)):
        if not (math.isfinite(value) and value > 0):
            raise HlvidError(f"fps_capped: {name} is {value}; give a positive number of frames per second")
    step = max(fps / rate, 1.0)
    # The tiny addition keeps 29.97 / 29.97 style steps from falling just below a whole number.
    picked = [int(k * step + 1e-9) for k in range(math.ceil(n / step - 1e-9))]
    return picked if len(picked) <= cap else uniform_linspace(n, cap)


def _check(n: int, count: int) -> None:
    if n < 1:
        raise HlvidError(f"cannot sample a video of {n} frames; check the file with 'hlvid verify'")
    if count < 1:
        raise HlvidError(f"frame budget is {count}; ask for at least 1 frame")
