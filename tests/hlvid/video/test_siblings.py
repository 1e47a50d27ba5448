"""The faults of the given cases in other containers, made here: covers, wide pixels, other lengths, odd clocks.

Run: pytest tests/hlvid/video/test_siblings.py
"""

import warnings
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hlvid.errors import VideoError
from hlvid.video import Video, VideoWarning, health
from tests.hlvid.video.conftest import picture, plain_frames

CODEC = {**dict.fromkeys(("mp4", "mov", "mkv", "ts"), "libx264"), "avi": "mpeg4", "webm": "libvpx-vp9"}
FRAMES, RATE = 30, 30


def film(
    path: Path,
    cover: str = "",
    sound: float = 0.0,
    video: bool = True,
    pts: Sequence[int] = range(FRAMES),
    aspect: Fraction | None = None,
    flags: str = "",
) -> Path:
    """A file of 128 x 72 in the container that its name says; a cover comes before the film, sound behind it."""
    from av.stream import Disposition

    with av.open(str(path), "w") as out:
        front = _video(out, cover, (64, 64), {}) if cover else None
        if front is not None and flags:
            front.disposition = Disposition[flags].value
        stream = _video(out, CODEC[path.suffix[1:]], (128, 72), OPTIONS[path.suffix[1:]]) if video else None
        if stream is not None and aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        audio = out.add_stream("aac", rate=8000) if sound else None
        if front is not None:
            _feed(out, front, [0], (64, 64))
        if stream is not None:
            _feed(out, stream, pts, (128, 72))
        if audio is not None:
            for at in range(0, int(8000 * sound), 1000):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), "fltp", "mono")
                frame.sample_rate, frame.pts = 8000, at
                out.mux(audio.encode(frame))
            out.mux(audio.encode())
    return path


OPTIONS = {
    **{kind: {"preset": "veryfast", "g": "10", "bf": "2"} for kind in ("mp4", "mov", "mkv", "ts")},
    "avi": {"g": "10"},
    "webm": {"g": "10", "deadline": "realtime", "cpu-used": "8"},
}


def _video(out: Any, codec: str, size: tuple[int, int], options: dict[str, str]) -> Any:
    stream = out.add_stream(codec, rate=RATE)
    stream.width, stream.height = size
    stream.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
    stream.options = options
    stream.codec_context.time_base = Fraction(1, RATE)
    return stream


def _feed(out: Any, stream: Any, pts: Sequence[int], size: tuple[int, int]) -> None:
    for i, time in enumerate(pts):
        frame = av.VideoFrame.from_ndarray(picture(i, *size), "rgb24").reformat(format=stream.pix_fmt)
        frame.pts, frame.time_base = time, Fraction(1, RATE)
        out.mux(stream.encode(frame))
    out.mux(stream.encode())


def exact(video: Video, path: Path, decode_rgb: Any) -> None:
    """Every frame as a sequential decode of the stream gives it."""
    truth = decode_rgb(path, set(range(999)), (36, 64), video.stream_number)
    assert len(truth) == video.frame_count
    got = video.frames(range(video.frame_count), (36, 64))
    assert all(np.array_equal(got[i], truth[i]) for i in truth)


@pytest.mark.parametrize("flags", ["", "default"])
@pytest.mark.parametrize("cover", ["mjpeg", "png"])
@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "avi"])
def test_a_cover_never_counts(kind: str, cover: str, flags: str, tmp_path: Path, decode_rgb: Any) -> None:
    if (kind, cover) == ("mkv", "png"):
        pytest.skip("PyAV writes no png into Matroska")
    path = film(tmp_path / f"cover.{kind}", cover=cover, sound=1.0, flags=flags)
    video = Video.open(path)
    assert (video.frame_count, video.width, video.height) == (FRAMES, 128, 72)
    exact(video, path, decode_rgb)


@pytest.mark.parametrize("kind", ["mkv", "mp4", "avi"])
def test_a_cover_and_sound_are_no_video(kind: str, tmp_path: Path) -> None:
    path = film(tmp_path / f"song.{kind}", cover="mjpeg", sound=1.0, video=False)
    with pytest.raises(VideoError, match=r"has no video stream \(only 0: still picture or cover, mjpeg"):
        Video.open(path)
    assert "has no video stream" in str(health.unsound([path])[path].fault)


def test_another_stream_is_read_if_it_is_asked_for(tmp_path: Path, decode_rgb: Any) -> None:
    path = film(tmp_path / "cover.mkv", cover="mjpeg", sound=1.0)
    video = Video.open(path, stream=0)
    assert (video.frame_count, video.width, video.stream_number) == (1, 64, 0)
    assert Video.open(path).stream_number == 1
    with pytest.raises(
        VideoError, match=r"stream 2 asked, which is no video; its streams: .*1: video, h264, 2:"
    ):
        Video.open(path, stream=2)


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(8, 9)])
@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "ts", "avi"])
def test_pixels_that_are_not_square(kind: str, aspect: Fraction, tmp_path: Path) -> None:
    path = film(tmp_path / f"wide.{kind}", aspect=aspect)
    video = Video.open(path)
    assert video.sample_aspect == aspect
    assert (video.height, video.width) == (72, round(128 * aspect))
    stored = next(plain_frames(path))
    shown = stored.reformat(video.width, 72, "rgb24", interpolation="BICUBIC").to_ndarray()
    assert np.array_equal(video.frames([0])[0], shown)


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "ts"])
def test_sound_that_lasts_longer(kind: str, tmp_path: Path) -> None:
    video = Video.open(film(tmp_path / f"long.{kind}", sound=4.0))
    assert (video.frame_count, video.damage) == (FRAMES, ())
    assert video.duration == pytest.approx(1.0, abs=0.02) and video.fps == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv", "ts", "webm"])
def test_dropped_frames_and_variable_rates(kind: str, tmp_path: Path, decode_rgb: Any) -> None:
    """Times are the file's; a hole in a regular time line is told and is no damage."""
    gap = [*range(12), *range(20, 38)]
    path = film(tmp_path / f"gap.{kind}", pts=gap)
    with pytest.warns(VideoWarning, match=r"no new picture from 0\.37 to 0\.67 s \(about 8 frames\)"):
        video = Video.open(path)
    assert video.timestamps == pytest.approx(np.array(gap) / 30, abs=1e-3) and video.damage == ()
    assert video.duration == pytest.approx(38 / 30, abs=0.05)
    assert video.fps == pytest.approx(29 / (37 / 30), rel=0.01)
    exact(video, path, decode_rgb)
    varied = np.cumsum([0, *([1, 3, 2, 5] * 7)]).tolist()
    path = film(tmp_path / f"vfr.{kind}", pts=varied)
    video = Video.open(path)
    assert video.timestamps == pytest.approx(np.array(varied) / 30, abs=1e-3) and video.notes == ()
    assert video.fps == pytest.approx(28 / (varied[-1] / 30), rel=0.01)
    exact(video, path, decode_rgb)


@pytest.mark.parametrize("kind", ["mkv", "webm", "ts"])
def test_joined_recordings_of_two_sizes(kind: str, tmp_path: Path) -> None:
    """Two sizes in one stream; frames of the second keep their shape inside the size asked."""
    path = tmp_path / f"sizes.{kind}"
    if kind == "ts":
        parts = [_plain(tmp_path / f"{n}.ts", size) for n, size in enumerate(((128, 72), (72, 128)))]
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
    else:
        _two_sizes(path, "libvpx-vp9")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        video = Video.open(path)
        frames = video.frames(range(20), (72, 128))
    assert frames.shape == (20, 72, 128, 3)
    assert frames[:10, :, :20].any() and not frames[10:, :, :40].any() and frames[10:, :, 50:80].any()
    assert any("size changes" in note for note in video.notes) or kind != "ts"
    with pytest.raises(
        VideoError, match=r"frame 10 is 72 x 128 px, the first one 128 x 72; ask for one size"
    ):
        video.frames(range(20))


def _plain(path: Path, size: tuple[int, int]) -> Path:
    with av.open(str(path), "w") as out:
        stream = _video(out, "libx264", size, {"preset": "veryfast", "bf": "0"})
        _feed(out, stream, range(10), size)
    return path


def _two_sizes(path: Path, codec: str) -> None:
    """Packets of two encoders in one track, as a conference that changes its size."""
    with av.open(str(path), "w") as out:
        stream = _video(out, codec, (128, 72), OPTIONS["webm"])
        _feed_only(out, stream, stream.codec_context, (128, 72), 0)
        other = av.CodecContext.create(codec, "w")
        other.width, other.height, other.pix_fmt = 72, 128, "yuv420p"
        other.time_base, other.options = Fraction(1, RATE), OPTIONS["webm"]
        _feed_only(out, stream, other, (72, 128), 10)


def _feed_only(out: Any, stream: Any, encoder: Any, size: tuple[int, int], first: int) -> None:
    for frame in [*(_frame(i, size) for i in range(first, first + 10)), None]:
        for packet in encoder.encode(frame):
            packet.stream = stream
            packet.time_base = Fraction(1, RATE)
            out.mux(packet)


def _frame(i: int, size: tuple[int, int]) -> Any:
    frame = av.VideoFrame.from_ndarray(picture(i, *size), "rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = i, Fraction(1, RATE)
    return frame


@pytest.mark.parametrize("kind", ["h264", "hevc", "m4v"])
def test_streams_without_a_container(kind: str, tmp_path: Path, decode_rgb: Any) -> None:
    """No time stamps, no duration: frames follow each other at the rate that the codec states."""
    path = tmp_path / f"raw.{kind}"
    codec = {"h264": "libx264", "hevc": "libx265", "m4v": "mpeg4"}[kind]
    with av.open(str(path), "w") as out:
        stream = _video(out, codec, (128, 72), {"preset": "ultrafast", "bf": "0"} if kind != "m4v" else {})
        _feed(out, stream, range(FRAMES), (128, 72))
    video = Video.open(path)
    assert np.all(np.diff(video.timestamps) > 0) and video.duration > 0 and video.fps > 0
    exact(video, path, decode_rgb)
