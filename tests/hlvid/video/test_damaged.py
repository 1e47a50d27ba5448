"""Damaged, odd and missing files: the frames that decode and a warning, or one clear error.

Run: pytest tests/hlvid/video/test_damaged.py
"""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlvid.errors import VideoError
from hlvid.video import Video, VideoWarning, damage_found, index, store

X264 = {"preset": "veryfast", "g": "30", "bf": "3"}


@pytest.fixture
def truncated(encode: Any, tmp_path: Path) -> Path:
    """An mp4 with its index in front and a third of its data missing."""
    whole = encode("front.mp4", frames=150, options=X264, container={"movflags": "faststart"})
    part = tmp_path / "truncated.mp4"
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    return part


def test_truncated_gives_what_decodes_and_says_so(
    truncated: Path, decode_plainly: Any, decode_rgb: Any
) -> None:
    with pytest.warns(VideoWarning, match=r"truncated\.mp4.*frames can be read"):
        video = Video.open(truncated)
    count = len(decode_plainly(truncated, 0, 1))
    assert 50 < count < 150 and video.frame_count == count and "cut short" in video.damage[0]
    assert len(video.timestamps) == count
    picks = [count - 1, 0, 31, 29, 30]
    truth = decode_rgb(truncated, set(picks), None, 0, 1)
    assert all(np.array_equal(frame, truth[i]) for i, frame in zip(picks, video.frames(picks), strict=True))
    with pytest.raises(VideoError, match="the video has frames 0 to"):
        video.frames([count])


def test_truncated_is_an_error_if_strict(truncated: Path) -> None:
    with pytest.raises(VideoError, match=r"9\d frames can be read; fetch the file again$"):
        Video.open(truncated, strict=True)


def test_strict_accepts_a_sound_file(encode: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        video = Video.open(encode("sound.mp4", options=X264), strict=True)
    assert video.notes == ()


def test_given_corrupted_file(shared: Path) -> None:
    path = shared / "clips/containers/decord_corrupted.mp4"
    with pytest.warns(VideoWarning, match="damaged from 2.90 to 4.90 s.*49 frames can be read"):
        video = Video.open(path)
    assert video.frames(range(49), size=(72, 128)).shape == (49, 72, 128, 3)  # 28 lie before the damage


@pytest.mark.parametrize("content", [b"", b"this is a text file\n" * 50, b"\x00" * 5000])
def test_not_a_video(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"broken\.mp4.*fetch"):
        Video.open(path)


def test_index_at_the_end_cut_off(encode: Any, tmp_path: Path) -> None:
    whole = encode("back.mp4", frames=60, options=X264)
    path = tmp_path / "noindex.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(VideoError, match=r"noindex\.mp4"):
        Video.open(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    """Only a video of the benchmark can be fetched, and a folder is there."""
    for path, said in (
        (tmp_path / "absent.mp4", "no such file; check the path$"),
        (tmp_path / "clip_av_video_5_001.mp4", "no such file.*hlvid download"),
        (tmp_path, "is a folder; name one video in it"),
    ):
        with pytest.raises(VideoError, match=said):
            Video.open(path)


def test_bit_rot_found_while_reading(encode: Any, tmp_path: Path, decode_plainly: Any) -> None:
    """The container's index is sound, a slice header is not: the reader notices, counts again and says so."""
    whole = encode("sound_before.mp4", frames=90, options=X264)
    data = bytearray(whole.read_bytes())
    start = _offset_of_packet(whole, 40)
    data[start + 5 : start + 60] = b"\x00" * 55
    path = tmp_path / "rot.mp4"
    path.write_bytes(data)
    video, count = Video.open(path), len(decode_plainly(path, 0, 1))
    assert video.frame_count == 90 and 60 < count < 90  # only decoding can tell
    with (
        pytest.warns(
            VideoWarning,
            match=rf"damaged from 1.37 to 1.77 s, 1 .* {count} frames can be read",
        ),
        pytest.raises(VideoError, match="frame"),
    ):
        video.frames(range(90), size=(54, 96))
    assert video.frame_count == count
    assert any("damaged from 1.37" in one for one in damage_found(path)) and not damage_found(whole)
    assert video.frames(range(count), size=(54, 96)).shape == (count, 54, 96, 3)


def _offset_of_packet(path: Path, number: int) -> int:
    import av

    with av.open(str(path)) as container:
        return int([packet.pos for packet in container.demux(video=0) if packet.size][number])


def test_index_that_lies_is_replaced(encode: Any, decode_rgb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time stamp that no frame has: noticed while reading, and every frame is still the right one."""
    path = encode("liar.mp4", frames=90, options=X264)
    video = Video.open(path)
    table = video._reader.index.packets
    key = store.key_of(path, None)
    wrong = index._known[key].pts.copy()
    wrong[50] += 1  # a frame that no packet gives
    moved = np.where(table.pts == wrong[50] - 1, wrong[50], table.pts)
    lie = replace(index._known[key], pts=wrong, packets=replace(table, pts=moved))
    monkeypatch.setitem(index._known, key, lie)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = Video.open(path).frames([10, 50, 70])
    truth = decode_rgb(path, {10, 50, 70})
    assert all(np.array_equal(frame, truth[i]) for i, frame in zip([10, 50, 70], got, strict=True))


def test_new_content_is_not_read_with_an_old_index(encode: Any, tmp_path: Path) -> None:
    path = tmp_path / "same_name.mp4"
    path.write_bytes(encode("first.mp4", frames=20, options=X264).read_bytes())
    assert Video.open(path).frame_count == 20
    path.write_bytes(encode("second.mp4", frames=33, options=X264).read_bytes())
    assert Video.open(path).frame_count == 33
