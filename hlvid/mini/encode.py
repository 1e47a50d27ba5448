"""Frames to a real 3840 x 2160 H.264 file: libx264 through PyAV, tagged BT.709 limited, a key frame a second.

    with Writer(path, fps=15) as writer:
        writer.add(planes)

A file appears under its name only when it is complete.
"""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from hlvid.errors import VideoError
from hlvid.mini.canvas import Planes

OPTIONS = {
    "preset": "superfast",
    "crf": "23",
    # Without CABAC: the same pixels to the bit, a fifth larger, a third less time to make and to decode.
    "x264-params": "cabac=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off",
}
BT709, LIMITED = 1, 1  # AVCOL_SPC_BT709 (also primaries and transfer), AVCOL_RANGE_MPEG


class Writer:
    """Context manager that encodes frames in order and renames the finished file into place."""

    def __init__(self, path: Path, fps: int, width: int = 3840, height: int = 2160) -> None:
        """Start `path`.part.

        Raises:
            VideoError: PyAV without libx264.
        """
        self._path, self._part = path, path.with_suffix(".part.mp4")
        self._container: Any = av.open(str(self._part), "w", format="mp4")
        try:
            self._stream: Any = self._container.add_stream("libx264", rate=fps, options=OPTIONS)
        except (ValueError, av.FFmpegError) as error:
            self._container.close()
            raise VideoError(f"{path.name}: this PyAV {av.__version__} has no libx264: {error}") from error
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        context = self._stream.codec_context
        context.gop_size, context.thread_count = fps, 2
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        self._time_base, self._count = Fraction(1, fps), 0

    def add(self, planes: Planes) -> None:
        """Encode the next frame (copied, so that `planes` may be painted anew)."""
        frame: Any = av.VideoFrame.from_ndarray(planes.buffer, format="yuv420p")
        frame.colorspace, frame.color_range = BT709, LIMITED
        frame.pts, frame.time_base = self._count, self._time_base
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        if kind is None:
            self._part.replace(self._path)
