"""Small generated videos, and the truth about any file: a plain full decode that is none of our code."""

import contextlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest


def picture(i: int, width: int, height: int) -> np.ndarray:
    """A textured picture that moves and is different for every i, so that no two frames look alike."""
    if width > 1000:
        return picture(i, width // 8, height // 8).repeat(8, axis=0).repeat(8, axis=1)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    base = 90 + 50 * np.sin((x + 3 * i) / 11) * np.cos((y - 2 * i) / 7) + (x * 7 + y * 13) % 23
    rgb = np.stack([base, base[::-1], np.roll(base, 5 * i, axis=1)], -1).clip(0, 255).astype(np.uint8)
    cell = max(4, height // 20)
    for bit in range(10):  # the frame number, as black and white squares
        rgb[:cell, bit * cell : (bit + 1) * cell] = 255 * (i >> bit & 1)
    return rgb


@pytest.fixture(scope="session")
def encode(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """encode(name, codec, frames, options, ...) -> path of a generated video."""
    folder = tmp_path_factory.mktemp("videos")

    def make(
        name: str,
        codec: str = "libx264",
        frames: int = 60,
        size: tuple[int, int] = (192, 108),
        options: dict[str, str] | None = None,
        pts: list[int] | None = None,
        rate: int = 30,
        container: dict[str, str] | None = None,
        pix_fmt: str = "yuv420p",
    ) -> Path:
        path = folder / name
        if path.exists():
            return path
        with av.open(str(path), "w", options=container or {}) as out:
            stream: Any = out.add_stream(codec, rate=rate)
            stream.width, stream.height, stream.pix_fmt = (*size, pix_fmt)
            stream.options = options or {}
            stream.codec_context.time_base = Fraction(1, rate)
            for i in range(frames):
                frame = av.VideoFrame.from_ndarray(picture(i, *size), "rgb24").reformat(format=pix_fmt)
                frame.pts, frame.time_base = (pts[i] if pts else i), Fraction(1, rate)
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return path

    return make


@pytest.fixture(scope="session")
def decode_plainly() -> Callable[..., list[np.ndarray]]:
    """decode_plainly(path, stream, threads) -> grey versions of all frames that a plain decode gives."""
    return lambda *what: [signature(frame) for frame in plain_frames(*what)]


def plain_frames(path: Path, stream: int = 0, threads: int = 0) -> Iterator[Any]:
    """All frames as ffmpeg gives them: packets that fail are left out. Damage looks alike with one thread only."""
    with av.open(str(path), metadata_errors="replace") as container:
        source = container.streams[stream]
        decoder = source.codec_context
        decoder.thread_type, decoder.thread_count = "AUTO", threads
        packets = container.demux(source)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                packet = None
            with contextlib.suppress(av.error.FFmpegError):
                yield from decoder.decode(packet if packet is not None and packet.size else None)
            if packet is None or not packet.size:
                return


def signature(frame: Any) -> np.ndarray:
    """All the luma of a frame in 8 bits, by PyAV's own conversion."""
    return frame.reformat(format="gray8").to_ndarray()


@pytest.fixture(scope="session")
def decode_rgb() -> Callable[..., Any]:
    """decode_rgb(path, wanted, size, stream, threads) -> {index: RGB}: a plain decode, one swscale call a frame."""

    def decode(
        path: Path, wanted: set[int], size: tuple[int, int] | None = None, stream: int = 0, threads: int = 0
    ) -> dict[int, np.ndarray]:
        frames = enumerate(plain_frames(path, stream, threads))
        return {i: rgb(frame, size) for i, frame in frames if i in wanted}

    def rgb(frame: Any, size: tuple[int, int] | None) -> np.ndarray:
        quarters = round(frame.rotation / 90) % 4
        h, w = size or (None, None)
        if size and quarters % 2:
            h, w = w, h
        full, matrix = int(frame.color_range) == 2, int(frame.colorspace)
        array = frame.reformat(
            w,
            h,
            "rgb24",
            src_colorspace=matrix if matrix in (1, 4, 7, 9) else 5,
            dst_colorspace=5,
            src_color_range=2 if full else 1,
            dst_color_range=1,
            interpolation="BICUBIC",
        ).to_ndarray()
        return np.rot90(array, quarters)

    return decode
