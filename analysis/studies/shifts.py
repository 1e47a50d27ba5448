"""Controlled changes of a clip that keep what is where: so that the same gaze would still be right.

Example::

    for name, change in SHIFTS.items():
        changed = change(frames)          # uint8 (T, 224, 224, 3) of the same places, another look

Noise is drawn from the frames themselves: the same clip is always changed alike.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import ArrayLike

from analysis.studies.scenes import Pictures


def blur(frames: Pictures) -> Pictures:
    """Out of focus: a Gaussian of 2 px."""
    return np.stack([cv2.GaussianBlur(frame, (0, 0), 2.0) for frame in frames])


def noise(frames: Pictures) -> Pictures:
    """Sensor noise of standard deviation 20 of 255, the same for the same frames."""
    draw = np.random.default_rng(int(frames.astype(np.uint64).sum()))
    return _bytes(frames + draw.normal(0, 20, frames.shape))


def night(frames: Pictures) -> Pictures:
    """A dark picture, bluish, with noise in its shadows."""
    dark = (frames / 255.0) ** 1.8 * 255 * np.array([0.3, 0.32, 0.42])
    draw = np.random.default_rng(int(frames.astype(np.uint64).sum()))
    return _bytes(dark + draw.normal(0, 5, frames.shape))


def contrast(frames: Pictures) -> Pictures:
    """Haze: 35 % of the contrast."""
    return _bytes(0.35 * (frames.astype(float) - 128) + 150)


def cartoon(frames: Pictures) -> Pictures:
    """Flat colours with dark outlines."""
    return np.stack([_cartoon(frame) for frame in frames])


def hue(frames: Pictures) -> Pictures:
    """All colours turned by 90 degrees."""
    turned = []
    for frame in frames:
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + 45) % 180  # OpenCV counts hue in half degrees
        turned.append(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
    return np.stack(turned)


def grey(frames: Pictures) -> Pictures:
    """Black and white, as old CCTV."""
    return np.stack([cv2.cvtColor(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for f in frames])


SHIFTS: dict[str, Callable[[Pictures], Pictures]] = {
    "blur": blur, "noise": noise, "night": night, "low contrast": contrast, "cartoon": cartoon,
    "hue": hue, "grey": grey,
}  # fmt: skip


def _cartoon(frame: Pictures) -> Pictures:
    smooth = frame
    for _ in range(3):
        smooth = cv2.bilateralFilter(smooth, 7, 40, 7)
    flat = (smooth // 40) * 40 + 20
    lines = cv2.adaptiveThreshold(
        cv2.medianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 5), 255, cv2.ADAPTIVE_THRESH_MEAN_C,
        cv2.THRESH_BINARY, 9, 4,
    )  # fmt: skip
    return np.asarray(cv2.bitwise_and(flat, flat, mask=lines), np.uint8)


def _bytes(values: ArrayLike) -> Pictures:
    return np.asarray(values).round().clip(0, 255).astype(np.uint8)
