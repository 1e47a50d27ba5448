"""Frame i is the i-th frame of a full sequential decode, in every file we could get or make.

Run: pytest tests/hlvid/video/test_exact.py
"""

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hlvid.video import Video
from tests.hlvid.video.conftest import plain_frames

SHARED = Path(__file__).resolve().parents[4] / "shared" / "clips"
CLIPS = sorted(path.relative_to(SHARED) for path in SHARED.glob("*/*"))


def choices(count: int, starts: list[int]) -> list[list[int]]:
    """Sets of indices that go wrong elsewhere: ends, both sides of GOP boundaries, random, unsorted, repeated."""
    rng = random.Random(count)
    near = sorted({i for s in starts for i in range(s - 3, s + 3) if 0 <= i < count})
    some = rng.sample(near, min(len(near), 12))
    few = rng.sample(range(count), min(count, 7))
    return [[0], [count - 1], [count - 1, 0, count - 1], some, few + few[:2], [few[0]]]


def check(path: Path, decode_rgb: Callable[..., Any], count: int, starts: list[int]) -> Video:
    """Compare every choice, at full size and resized, with the plain decode."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        video = Video.open(path)
    assert video.frame_count == count
    source = video.stream_number, (1 if video.damage else 0)
    small = (max(2, video.height // 3), max(2, video.width // 2))
    picks = choices(count, starts)
    wanted = {i for pick in picks for i in pick}
    for size in (None, small):
        truth = decode_rgb(path, wanted if size else set(picks[3]), size, *source)
        for pick in picks if size else picks[3:4]:
            got = video.frames(pick, size)
            assert got.dtype == np.uint8 and got.shape == (
                len(pick),
                *(size or (video.height, video.width)),
                3,
            )
            for i, frame in zip(pick, got, strict=True):
                assert np.array_equal(frame, truth[i]), f"{path.name}: frame {i} at {size}"
    return video


def key_frames(path: Path, stream: int = 0) -> list[int]:
    """Indices of key frames in presentation order, by a plain decode."""
    return [i for i, frame in enumerate(plain_frames(path, stream)) if frame.key_frame]


def best(path: Path) -> int:
    """The number of libav's best video stream."""
    with av.open(str(path)) as container:
        return int(container.streams.best("video").index)


@pytest.mark.parametrize("name", CLIPS, ids=str)
def test_given_clips(name: Path, shared: Path, decode_plainly: Any, decode_rgb: Any) -> None:
    path = shared / "clips" / name
    stream = best(path)
    check(
        path,
        decode_rgb,
        len(decode_plainly(path, stream, 1 if "corrupt" in name.name else 0)),
        key_frames(path, stream),
    )


X264 = {"preset": "veryfast", "g": "250", "bf": "3", "sc_threshold": "0"}
GENERATED: dict[str, dict[str, Any]] = {
    "gop250.mp4": {"frames": 300, "options": {**X264, "x264-params": "b-pyramid=normal:ref=4"}},
    "gop30.mp4": {"frames": 200, "options": {**X264, "g": "30"}},
    "gop30.mkv": {"frames": 200, "options": {**X264, "g": "30"}},
    "gop30.ts": {"frames": 100, "options": {**X264, "g": "30"}},
    "open264.mp4": {"frames": 120, "options": {**X264, "g": "25", "x264-params": "open-gop=1"}},
    "intra.mp4": {"frames": 40, "options": {**X264, "g": "1", "bf": "0"}},
    "open265.mp4": {
        "codec": "libx265",
        "frames": 150,
        "options": {
            "preset": "ultrafast",
            "x265-params": "keyint=30:min-keyint=30:bframes=4:open-gop=1:scenecut=0",
        },
    },
    "open265.mkv": {
        "codec": "libx265",
        "frames": 100,
        "options": {
            "preset": "ultrafast",
            "x265-params": "keyint=25:min-keyint=25:bframes=4:open-gop=1:scenecut=0",
        },
    },
    "layers265.mp4": {
        "codec": "libx265",
        "frames": 100,
        "options": {
            "preset": "ultrafast",
            "x265-params": "keyint=40:temporal-layers=3:bframes=3:b-pyramid=1",
        },
    },
    "ten_bit.mp4": {
        "codec": "libx265",
        "pix_fmt": "yuv420p10le",
        "options": {"preset": "ultrafast", "x265-params": "keyint=20"},
    },
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "frames": 70,
        "options": {"g": "20", "deadline": "realtime", "cpu-used": "8"},
    },
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated(name: str, encode: Any, decode_plainly: Any, decode_rgb: Any) -> None:
    path = encode(name, **GENERATED[name])
    count = len(decode_plainly(path))
    assert count == GENERATED[name].get("frames", 60)
    check(path, decode_rgb, count, key_frames(path))


@pytest.mark.parametrize("name", ["gop250.mp4", "gop30.mp4", "open265.mp4", "layers265.mp4", "open264.mp4"])
def test_every_single_frame(name: str, encode: Any, decode_rgb: Any) -> None:
    path = encode(name, **GENERATED[name])
    video = Video.open(path)
    truth = decode_rgb(path, set(range(video.frame_count)))
    for i in range(0, video.frame_count, 3):
        assert np.array_equal(video.frames([i])[0], truth[i]), f"frame {i}"


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_4k(codec: str, encode: Any, decode_rgb: Any) -> None:
    options = {
        "preset": "ultrafast",
        "g": "4",
        "bf": "2",
        "x265-params": "keyint=4:bframes=2:log-level=none",
    }
    path = encode(f"{codec}_4k.mp4", codec, 8, (3840, 2160), options)
    video = Video.open(path)
    wanted = [video.frame_count - 1, 3, 4, 5, 1]
    truth = decode_rgb(path, set(wanted), (540, 960))
    assert all(
        np.array_equal(a, truth[i]) for i, a in zip(wanted, video.frames(wanted, (540, 960)), strict=True)
    )
    full = decode_rgb(path, {6})
    assert np.array_equal(video.frames([6])[0], full[6])


def test_edit_list(encode: Any, tmp_path: Path, decode_plainly: Any, decode_rgb: Any) -> None:
    """Cut without re-encoding: packets before the cut are in the file, but are not shown."""
    source, cut = encode("gop30.mp4", **GENERATED["gop30.mp4"]), tmp_path / "cut.mp4"
    with (
        av.open(str(source)) as old,
        av.open(str(cut), "w", options={"avoid_negative_ts": "disabled"}) as new,
    ):
        stream = new.add_stream_from_template(old.streams.video[0])
        shift = int(47 / 30 / old.streams.video[0].time_base)
        begin = int(29.5 / 30 / old.streams.video[0].time_base)
        begun = False
        for packet in old.demux(video=0):
            begun = begun or (packet.is_keyframe and packet.pts is not None and packet.pts > begin)
            if begun and packet.pts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                new.mux(packet)
    with av.open(str(cut)) as container:
        hidden = [packet.is_discard for packet in container.demux(video=0) if packet.size]
    count = len(decode_plainly(cut))
    assert any(hidden) and count == hidden.count(False), "the file has to hold packets that are not shown"
    check(cut, decode_rgb, count, key_frames(cut))
