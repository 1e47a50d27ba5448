"""Where a picture has text, as the OCR package's detector sees it: a map of probabilities, and lines of it.

The detector (PP-OCRv4, inside the `rapidocr` wheel) sees every pixel: what is chosen by it is a teacher's
choice, not that of a gaze which has to guess.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from autogaze.selectors.text_models import model_file

Map = NDArray[np.float32]

STRIDE = 32
"""Sides of the detector's input are multiples of this."""
LIKELY = 0.3
"""Probability from which on a pixel is of a line; the detector's own threshold."""
GROWN = 1.6
"""The detector marks the core of a line; its box is that core, moved outwards by area * GROWN / perimeter."""
CAP = 0.7
"""Height of capitals, of the height of a line's box."""


@dataclass(frozen=True)
class TextLine:
    """A line of text: box (left, top, right, bottom) and height of capitals in px, mean probability."""

    box: tuple[int, int, int, int]
    cap: float
    sure: float

    @property
    def letters(self) -> tuple[int, float, int, float]:
        """The box of the capitals alone: what has to be seen to read them."""
        left, top, right, bottom = self.box
        rim = max(0.0, bottom - top - self.cap) / 2
        return left, top + rim, right, bottom - rim


def text_map(picture: NDArray[np.uint8]) -> Map:
    """Probability of text at every pixel: uint8 (H, W, 3) RGB -> float32 (H, W).

    Raises ValueError where the OCR package is not installed.
    """
    height, width = picture.shape[:2]
    below, right = -height % STRIDE, -width % STRIDE
    padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
    pixels = padded[..., ::-1].astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    session = _detector()
    found = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    probability: Map = found[0, 0, :height, :width]
    return probability


def lines(probability: Map) -> list[TextLine]:
    """The lines of a map, row by row: connected cores, grown to their letters' full height."""
    height, width = probability.shape
    core = (probability > LIKELY).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    sums = np.bincount(labels.ravel(), probability.ravel(), count)
    found = []
    for (left, top, w, h, area), total in zip(stats[1:].tolist(), sums[1:].tolist(), strict=True):
        out = w * h * GROWN / (2 * (w + h))
        box = (
            max(0, round(left - out)),
            max(0, round(top - out)),
            min(width, round(left + w + out)),
            min(height, round(top + h + out)),
        )
        found.append(TextLine(box, CAP * (h + 2 * out), total / area))
    return found


@lru_cache(maxsize=1)
def _detector() -> Any:
    try:
        path = model_file("det")
        import onnxruntime
    except ImportError as error:
        raise ValueError(
            f"no text detector ({error}); install it with: pip install 'hlvid[reader]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 0)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
