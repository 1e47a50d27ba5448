"""The size at which a picture is seen when its long side is given.

>>> fit_long_side(3840, 2160, 896)
(504, 896)
"""

import math

from hlvid.errors import HlvidError


def fit_long_side(width: int, height: int, resolution: int) -> tuple[int, int]:
    """(height, width), even numbers, of a `width` x `height` picture whose long side becomes `resolution`.

    The aspect ratio is kept up to rounding to even numbers (4:2:0 chroma); pictures also grow if asked to.
    """
    if min(width, height) < 1 or resolution < 2:
        raise HlvidError(
            f"cannot fit {width} x {height} into {resolution} px; sizes and resolution have to be positive"
        )
    scale = resolution / max(width, height)
    return _even(height * scale), _even(width * scale)


def _even(value: float) -> int:
    return max(2, 2 * math.floor(value / 2 + 0.5))
