"""What Video says about a file: sizes, rates, time stamps, rotation, colours, decoder.

Run: pytest tests/hlvid/video/test_reader.py
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hlvid.errors import VideoError
from hlvid.video import Video
from hlvid.video.picture import Turn

X264 = {"preset": "veryfast", "g": "30", "bf": "3"}


def test_facts(encode: Any) -> None:
    with Video.open(encode("facts.mp4", frames=45, size=(190, 110), options=X264, rate=25)) as video:
        assert (video.width, video.height, video.frame_count, video.codec) == (190, 110, 45, "h264")
        assert video.fps == 25 and video.duration == pytest.approx(45 / 25) and video.pix_fmt == "yuv420p"
        assert video.rotation == 0 and video.notes == ()
        for part in ("pyav", "libavcodec", "libswscale", "bicubic"):
            assert part in video.decoder


def test_libavs_messages_do_not_reach_python_where_another_library_asks_for_them(encode: Any) -> None:
    """A decoder that is closed while one of its threads wants to tell something would wait for ever."""
    av.logging.set_level(av.logging.ERROR)
    with Video.open(encode("told.mp4", frames=12)) as video:
        assert av.logging.get_level() is None and len(video.frames([3])) == 1


def test_frames_in_the_order_asked(encode: Any) -> None:
    video = Video.open(encode("facts.mp4", frames=45, size=(190, 110), options=X264, rate=25))
    once = video.frames([3, 20, 41])
    again = video.frames(np.array([41, 3, 3, 20]))
    assert np.array_equal(again, once[[2, 0, 0, 1]])
    assert [i for i, _ in video.stream([41, 3, 3, 20])] == [3, 20, 41]
    assert video.frames([]).shape == (0, 110, 190, 3)


def test_two_streams_at_once(encode: Any) -> None:
    video = Video.open(encode("facts.mp4", frames=45, size=(190, 110), options=X264, rate=25))
    whole = video.frames(range(45))
    for (i, a), (j, b) in zip(video.stream(range(40)), video.stream(range(5, 45)), strict=True):
        assert j == i + 5 and np.array_equal(a, whole[i]) and np.array_equal(b, whole[j])


@pytest.mark.parametrize("indices", [[-1], [45], [0, 99]])
def test_index_out_of_range(indices: list[int], encode: Any) -> None:
    video = Video.open(encode("facts.mp4", frames=45, size=(190, 110), options=X264, rate=25))
    with pytest.raises(VideoError, match="frames 0 to 44"):
        video.frames(indices)
    with pytest.raises(VideoError, match="frames 0 to 44"):
        video.stream(indices)


def test_impossible_size(encode: Any) -> None:
    video = Video.open(encode("facts.mp4", frames=45, size=(190, 110), options=X264, rate=25))
    with pytest.raises(VideoError, match="at least 1 px"):
        video.frames([0], size=(0, 10))


def test_variable_frame_rate(encode: Any) -> None:
    gaps = [1, 1, 5, 1, 12, 2] * 5
    pts = [int(t) for t in np.cumsum([0, *gaps])]
    video = Video.open(encode("vfr.mp4", frames=len(pts), options=X264, pts=pts))
    assert video.frame_count == len(pts)
    assert video.timestamps == pytest.approx(np.array(pts) / 30, abs=1e-4)
    assert video.fps == pytest.approx((len(pts) - 1) / (pts[-1] / 30), rel=0.02)


def test_start_that_is_not_zero(encode: Any) -> None:
    video = Video.open(encode("late.mkv", frames=40, options=X264, pts=list(range(300, 340))))
    assert video.frame_count == 40 and video.timestamps[0] == 0
    assert video.duration == pytest.approx(40 / 30, abs=0.05)
    assert np.array_equal(video.frames([7])[0], video.frames(range(40))[7])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_is_applied(degrees: int, shared: Path) -> None:
    video = Video.open(shared / f"clips/containers/decord_video_{degrees}.mov")
    upright = degrees % 180 == 0
    assert (video.width, video.height) == ((568, 320) if upright else (320, 568))
    assert video.rotation == degrees
    assert video.frames([0], size=(50, 40)).shape == (1, 50, 40, 3)


@pytest.mark.parametrize(
    ("matrix", "want"),
    [
        ((1, 0, 0, 1), [[1, 2], [3, 4]]),
        ((0, 1, -1, 0), [[3, 1], [4, 2]]),  # a quarter clockwise
        ((0, -1, 1, 0), [[2, 4], [1, 3]]),
        ((-1, 0, 0, -1), [[4, 3], [2, 1]]),
        ((-1, 0, 0, 1), [[2, 1], [4, 3]]),  # mirrored
        ((0, 1, 1, 0), [[1, 3], [2, 4]]),  # transposed
    ],
)
def test_display_matrix(matrix: tuple[int, int, int, int], want: list[list[int]]) -> None:
    stored = np.array([[1, 2], [3, 4]], np.uint8)[..., None].repeat(3, -1)
    assert Turn.from_matrix(*matrix).apply(stored)[..., 0].tolist() == want


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs the ffmpeg program")
@pytest.mark.parametrize(
    "name", ["bt709_full_range", "bt2020_10bit", "testsrc2_odd_height_and_width_vp9", "testsrc2_12bit_hdr"]
)
def test_colours_are_those_of_ffmpeg(name: str, shared: Path) -> None:
    path = shared / f"clips/containers/torchcodec_{name}.mp4"
    video = Video.open(path)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1"]
    raw = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
    )
    theirs = np.frombuffer(raw.stdout, np.uint8).reshape(video.height, video.width, 3).astype(int)
    assert np.abs(theirs - video.frames([0])[0]).mean() < 0.5  # equal with the same libswscale


def test_rotated_like_ffmpeg(shared: Path) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("needs the ffmpeg program")
    for degrees in (90, 180, 270):
        path = shared / f"clips/containers/decord_video_{degrees}.mov"
        video = Video.open(path)
        command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1"]
        raw = subprocess.run(
            [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
        )
        theirs = np.frombuffer(raw.stdout, np.uint8).reshape(video.height, video.width, 3).astype(int)
        assert np.abs(theirs - video.frames([0])[0]).mean() < 3  # ffmpeg turns before it converts
