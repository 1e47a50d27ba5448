"""A small copy of a video that any browser plays smoothly and jumps about in: H.264, 960 px, a key frame a second.

Its name is of the very file that it copies (path, size, time of change) and of how: two films of one name never share
a copy, and one that is there is used again.
"""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from tqdm import tqdm

from hlvid.errors import VideoError
from hlvid.video import Video
from hlvid.video.tiles import fit_long_side

LONG_SIDE = 960
RATE = 30.0
OPTIONS = {"preset": "veryfast", "crf": "24", "movflags": "faststart"}


def make_proxy(source: Path, folder: Path, long_side: int = LONG_SIDE) -> Path:
    """Write the copy, at most 30 frames a second; returns its path.

    Raises VideoError where the video cannot be read or this PyAV cannot write H.264.
    """
    found = source.stat()
    own = (str(source.resolve()), found.st_size, found.st_mtime_ns, long_side, RATE, sorted(OPTIONS.items()))
    target = folder / f"{source.stem}-{hashlib.sha256(repr(own).encode()).hexdigest()[:10]}.mp4"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part.mp4")
    with Video.open(source) as video:
        step = max(1, round(video.fps / RATE))
        size = fit_long_side(video.width, video.height, min(long_side, max(video.width, video.height)))
        indices = range(0, video.frame_count, step)
        _encode(part, video, indices, size, Fraction(video.fps / step).limit_denominator(1001))
    part.replace(target)
    return target


def _encode(path: Path, video: Video, indices: range, size: tuple[int, int], rate: Fraction) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": OPTIONS["movflags"]}) as container:
        try:
            stream: Any = container.add_stream("libx264", rate=rate, options=OPTIONS)
        except (ValueError, av.FFmpegError) as error:
            raise VideoError(f"{path.name}: this PyAV {av.__version__} has no libx264: {error}") from error
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = max(1, round(float(rate)))
        frames = video.stream(indices, size)
        for _, picture in tqdm(frames, total=len(indices), desc=f"proxy of {video.path.name}", leave=False):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"))
            )
        container.mux(stream.encode())
