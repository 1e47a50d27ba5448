"""Files as people have them: covers, wide pixels, holes, cuts, edit lists, odd clocks.

Run: pytest tests/hlvid/video/test_cases.py
"""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlvid.errors import VideoError
from hlvid.video import Video
from tests.hlvid.video.conftest import plain_frames


def quietly(path: Path, **how: Any) -> Video:
    """Open without the warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Video.open(path, **how)


def read_all(video: Video, size: tuple[int, int]) -> np.ndarray:
    """Every frame; the warnings that reading gives are not asked about here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return video.frames(range(video.frame_count), size)


CASES = {  # frames, seconds, frames per second, (width, height) as shown, stream
    "cover_first.mkv": (50, 2.0, 25, (128, 96), 1),
    "sar.mp4": (25, 1.0, 25, (910, 512), 0),
    "hole.mp4": (196, 8.0, 24.497, (320, 240), 0),
    "hole.mkv": (181, 8.0, 22.613, (320, 240), 0),
    "cut.mkv": (120, 4.88, 24.587, (320, 240), 0),
    "trimmed.mp4": (12, 0.4, 30, (128, 96), 0),
    "resize.ts": (50, 2.0, 25, (128, 96), 0),
    "audio_longer.mkv": (100, 4.0, 25, (128, 96), 0),
    "frag.mp4": (50, 2.0, 25, (128, 96), 0),
    "raw.h264": (60, 2.0, 30, (128, 96), 0),
    "vfr.mkv": (80, 3.933, 20.256, (128, 96), 0),
    "gap.avi": (23, 1.0, 22.917, (128, 96), 0),
    "count53.avi": (50, 2.0, 25, (128, 96), 0),
    "gray16.mkv": (10, 0.4, 25, (256, 32), 0),
}
NOTED = {
    "hole.mp4": (r"damaged from 3\.20 to 4\.00 s, 4 frames lost",),
    "hole.mkv": (r"damaged from 3\.16 to 4\.00 s, 19 frames lost",),
    "cut.mkv": (r"is cut short: 185399 of 308999 bytes",),
}


@pytest.mark.parametrize("name", CASES)
def test_given_cases(name: str, shared: Path, decode_rgb: Any) -> None:
    """Facts as the case's table has them, frames as a sequential decode gives them."""
    path, (count, seconds, fps, shown, stream) = shared / "cases/video" / name, CASES[name]
    video = quietly(path)
    assert (video.frame_count, video.width, video.height, video.stream_number) == (count, *shown, stream)
    assert video.duration == pytest.approx(seconds, abs=1e-3) and video.fps == pytest.approx(fps, abs=1e-2)
    assert np.all(np.diff(video.timestamps) > 0)
    told = " ".join(video.damage)
    assert bool(told) == (name in NOTED)
    for pattern in NOTED.get(name, ()):
        assert re.search(pattern, told), told
    if name == "resize.ts":
        return
    truth = decode_rgb(path, set(range(count)), (48, 64), stream, 1)
    assert np.array_equal(read_all(video, (48, 64)), np.stack([truth[i] for i in range(count)]))


def test_a_kind_that_cannot_be_read(shared: Path) -> None:
    with pytest.raises(
        VideoError, match=r"x\.webp: has no video stream \(only 0: still picture or cover, webp\)"
    ):
        Video.open(shared / "cases/video/x.webp")


def test_a_size_that_changes(shared: Path) -> None:
    """With a size asked all frames come, each in its own shape; without, one line."""
    path = shared / "cases/video/resize.ts"
    with pytest.warns(UserWarning, match=r"128 x 96 from frame 0, then 96 x 128 from frame 25"):
        video = Video.open(path)
    frames = video.frames(range(50), (96, 128))
    assert frames[:25, :, :20].any() and not frames[25:, :, :28].any() and not frames[25:, :, 100:].any()
    inner = [frame.reformat(72, 96, "rgb24", interpolation="BICUBIC") for frame in plain_frames(path)][30]
    assert np.array_equal(frames[30, :, 28:100], inner.to_ndarray())
    with pytest.raises(
        VideoError, match=r"frame 25 is 96 x 128 px, the first one 128 x 96; ask for one size"
    ):
        video.frames(range(50))


def facts(video: Video) -> list[Any]:
    """All that is known of a video, to be compared."""
    names = [name for name, one in vars(Video).items() if isinstance(one, property)]
    assert {"width", "notes", "timestamps"} <= set(names)
    return [getattr(video, name) if name != "timestamps" else video.timestamps.tolist() for name in names]


def test_a_second_opening_reads_nothing(
    shared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The index lies in the state folder, by path, size and time of change."""
    import av

    from hlvid.video import index

    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    paths = [shared / "cases/video" / name for name in CASES if name != "hole.mkv"]
    index._known.clear()
    first = [facts(quietly(path)) for path in paths]
    index._known.clear()
    monkeypatch.setattr(av, "open", lambda *_, **__: pytest.fail("a file was opened again"))
    for path, before in zip(paths, first, strict=True):
        assert facts(quietly(path)) == before


@pytest.mark.parametrize("damage", ["cut", "junk", "read-only"])
def test_an_index_that_cannot_be_used_costs_time_only(
    damage: str, encode: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from hlvid.video import index, store

    path = encode("stored.mp4", frames=20)
    monkeypatch.setenv("HLVID_STATE", str(tmp_path / "state"))
    if damage == "read-only":
        (tmp_path / "state").write_text("a file where the folder should be")
    index._known.clear()
    assert Video.open(path).frame_count == 20
    for kept in store.folder().glob("*"):
        kept.write_bytes(kept.read_bytes()[:100] if damage == "cut" else b"junk" * 100)
    index._known.clear()
    assert Video.open(path).frame_count == 20
