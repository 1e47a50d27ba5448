"""Clips of real videos: square cuts at the size asked, the same for a seed; the split keeps whole videos apart.

Run: pytest tests/autogaze/training/test_clips.py
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from autogaze.training.clips import Window, as_clip, videos_in
from autogaze.training.split import HELD_OUT_NATURAL, held_out


@pytest.fixture(scope="module")
def window() -> Window:
    """40 frames of 240 x 320 px whose red is the frame's number and whose green and blue are its place."""
    y, x = np.mgrid[0:240, 0:320]
    place = np.stack([np.zeros_like(x), y, np.minimum(x, 255)], -1)
    return Window(np.stack([place + np.array([t, 0, 0]) for t in range(40)]).astype(np.uint8))


def test_window_cuts_squares_with_an_even_stride(window: Window) -> None:
    strides = set()
    for seed in range(40):
        clip = window.clip(seed, frames=4)
        assert clip.shape == (4, 3, 224, 224) and clip.dtype == torch.uint8
        steps = clip[:, 0, 0, 0].int().diff()
        assert (steps == steps[0]).all()
        strides.add(int(steps[0]))
        # Both sides of the cut span as many px of the window, so nothing is squeezed.
        high, wide = (int(clip[0, c].max()) - int(clip[0, c].min()) for c in (1, 2))
        assert abs(high - wide) <= 3 or int(clip[0, 2].max()) >= 253
    assert strides == {1, 2, 3, 4, 6, 8}


def test_window_is_the_same_for_a_seed(window: Window) -> None:
    assert torch.equal(window.clip(3, 4), window.clip(3, 4))
    assert not torch.equal(window.clip(3, 4), window.clip(4, 4))


def test_short_window_repeats_its_last_frame(window: Window) -> None:
    clip = Window(window.pictures[:3]).clip(0, frames=6)
    assert clip[:, 0, 0, 0].tolist() == [0, 1, 2, 2, 2, 2]


def test_resizing_keeps_values() -> None:
    flat = np.full((300, 300, 3), (10, 20, 30), np.uint8)
    assert as_clip([flat])[0].unique().tolist() == [10, 20, 30]


def test_held_out_is_the_rule(shared: Path) -> None:
    names = [path.name for path in videos_in(shared / "clips" / "natural")]
    assert tuple(name for name in names if held_out(name)) == HELD_OUT_NATURAL


def test_rule_keeps_about_a_quarter() -> None:
    assert 0.2 < sum(held_out(f"video_{i}.mp4") for i in range(1000)) / 1000 < 0.3


def test_folder_without_videos(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no file with suffix \.mp4"):
        videos_in(tmp_path)
