"""Text as masks: glyphs from a bitmap shipped with the package, so no font library has a say in the pixels.

`glyphs.png` holds DejaVu Sans Bold (free licence, see glyphs/LICENSE.txt) drawn once at 160 px cap height by
`benchmarks/mini_glyphs.py`; any other height is an antialiased resize of it (Pillow, fixed-point)::

    mask = text_mask("EXIT 38", cap=44)    # uint8 (44 + overshoot, W), 255 where the ink is
"""

import json
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hlvid.mini.canvas import bicubic

CAP = 160  # cap height of the shipped glyphs, px
ROWS = 200  # rows of the strip: the caps and the overshoot of round letters and commas
TOP = 20  # rows above the caps


@lru_cache(maxsize=1)
def _glyphs() -> dict[str, NDArray[np.uint8]]:
    """Character -> uint8 (ROWS, advance) with 255 for ink."""
    folder = files("hlvid.mini") / "glyphs"
    spans: dict[str, list[int]] = json.loads((folder / "glyphs.json").read_text())
    with (folder / "glyphs.png").open("rb") as file:
        strip = np.asarray(Image.open(file).convert("L"))
    return {character: strip[:, left:right] for character, (left, right) in spans.items()}


@lru_cache(maxsize=256)
def _line(text: str) -> NDArray[np.uint8]:
    glyphs = _glyphs()
    if missing := set(text) - glyphs.keys():
        raise ValueError(
            f"text {text!r}: no glyph for {''.join(sorted(missing))!r}; capitals and digits only"
        )
    return np.concatenate([glyphs[character] for character in text], axis=1)


@lru_cache(maxsize=256)
def text_mask(text: str, cap: int) -> NDArray[np.uint8]:
    """Ink of one line of text, uint8 (about 1.25 cap, W), 0..255; capitals are `cap` px tall.

    Raises:
        ValueError: a character that the shipped glyphs lack, or a cap height below 1.
    """
    if cap < 1:
        raise ValueError(f"cap={cap}: at least 1 px")
    line = _line(text)
    return bicubic(line, max(1, (line.shape[1] * cap + CAP // 2) // CAP), max(1, ROWS * cap // CAP))
