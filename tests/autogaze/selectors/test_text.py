"""The teachers that know where text is: they find it, read it as coarsely as it can be read, and keep the protocol.

Run: pytest tests/autogaze/selectors/test_text.py
"""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from autogaze import selectors
from autogaze.gaze import Gaze
from autogaze.selectors.conformance import check
from autogaze.selectors.text import READABLE
from autogaze.selectors.text_map import lines, text_map
from autogaze.tiling import Tiling

pytest.importorskip("rapidocr", reason="no text detector: pip install 'hlvid[reader]'")

TEACHERS = ("text", "text_lines", "text_error")
SMALL, LARGE = (300, 60, 351, 72), (60, 130, 329, 200)
"""Boxes of the capitals drawn: 12 px high, and 70."""
MOST, HALF = (0.6, 0.5) if cv2.__version__ >= "5" else (0.55, 0.4)
"""Least shares of a line's box to be seen; OpenCV 4 draws the letters in another font."""


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """448 x 224 px: noise over soft stains, a small line and a large one on plain signs."""
    draw = np.random.default_rng(0)
    stains = cv2.resize(draw.integers(60, 200, (7, 14, 3)).astype(np.uint8), (448, 224))
    ground = np.clip(stains + draw.normal(0, 12, stains.shape), 0, 255).astype(np.uint8)
    for (left, top, right, bottom), text in ((SMALL, "EXIT 38B"), (LARGE, "BAY 17")):
        high = bottom - top
        cv2.rectangle(ground, (left - 20, top - 12), (right + 20, bottom + 12), (240, 240, 236), -1)
        scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, high, max(1, high // 8))
        cv2.putText(ground, text, (left, bottom), 0, scale, (20, 20, 24), max(1, high // 8), cv2.LINE_AA)
    return ground


@pytest.fixture(scope="module")
def tiles(picture: NDArray[np.uint8]) -> Tensor:
    return Tiling.of(224, 448).split(picture[None])


def shares(gaze: Gaze, box: tuple[int, int, int, int]) -> list[float]:
    """Of each scale, coarse first: the share of the box that it shows."""
    left, top, right, bottom = box
    whole = [torch.cat(list(mask[:, 0]), 1) for mask in gaze.scale_masks()]
    cells = [
        mask.repeat_interleave(224 // len(mask), 0).repeat_interleave(224 // len(mask), 1) for mask in whole
    ]
    return [float(cell[top:bottom, left:right].float().mean()) for cell in cells]


def test_lines_are_where_they_were_drawn_and_as_high(picture: NDArray[np.uint8]) -> None:
    found = [line for line in lines(text_map(picture)) if line.sure > 0.6]
    for left, top, right, bottom in (SMALL, LARGE):
        here = [one for one in found if top <= (one.box[1] + one.box[3]) / 2 <= bottom and one.box[2] > left]
        assert here and min(one.cap for one in here) == pytest.approx(bottom - top, rel=0.4)
        assert max(one.box[2] for one in here) > right - 20


@pytest.mark.parametrize("name", TEACHERS)
def test_teachers_keep_the_protocol(name: str) -> None:
    assert all(finding.ok for finding in check(selectors.get(name)))
    assert selectors.kind_of(name).teacher


def test_the_map_goes_to_text_alone(tiles: Tensor) -> None:
    few, more = (selectors.get("text").select(tiles, ratio=ratio, layout=(1, 2)) for ratio in (0.1, 0.2))
    assert shares(few, (0, 0, 200, 60))[3] == 0 and shares(few, LARGE)[3] > MOST
    assert shares(more, SMALL)[3] == 1 and not more.scale_masks()[2].any()


def test_lines_are_shown_as_coarsely_as_they_can_be_read(tiles: Tensor) -> None:
    """70 px can be read at 32 px a tile, 12 px only at 112 or finer."""
    small, large = (
        shares(selectors.get("text_lines").select(tiles, ratio=0.03, layout=(1, 2)), box)
        for box in (SMALL, LARGE)
    )
    assert 12 * 64 / 224 < READABLE < 70 * 32 / 224
    assert max(small[2:]) > 0.9 and max(small[:2]) < 0.9 and large[0] > 0.9


def test_weighing_text_moves_the_search_to_it(tiles: Tensor) -> None:
    """The small line is seen at the only scale that shows it, the large one at the coarsest; L1 asks for neither."""
    text, plain = (
        selectors.get("text_error", l1=l1).select(tiles, ratio=0.03, layout=(1, 2)) for l1 in (0.0, 1.0)
    )
    assert shares(text, SMALL)[3] > HALF and not any(shares(text, SMALL)[:2]) and shares(text, LARGE)[0] > 0.3
    assert shares(plain, SMALL)[3] == 0 and shares(plain, SMALL)[1] == 1
    with pytest.raises(ValueError, match=r"l1: 2.*\[0, 1\]"):
        selectors.get("text_error", l1=2)
