"""decord, to reproduce what others measured with it; not for new results.

Example::

    with Video.open("clip.mp4", backend="decord") as video:   # pip install 'hlvid[decord]'
        ...

decord finds frames by its own index: on HEVC with open GOPs, files with edit lists and MPEG-TS it returns
other frames than it is asked for, and it does not say so. Resizing is decord's own (swscale, while
decoding).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hlvid.errors import HlvidError, VideoError
from hlvid.video.backends.base import Info, Size
from hlvid.video.picture import Picture


class DecordBackend:
    """One file, read by `decord.VideoReader` on the CPU."""

    def __init__(self, path: Path, threads: int | None = None, stream: int | None = None) -> None:
        """Raises HlvidError if decord is not installed, VideoError if it cannot open the file."""
        if stream is not None:
            raise HlvidError("video back end 'decord' takes the stream that it likes; use pyav with stream=")
        try:
            import decord
        except ImportError as error:
            raise HlvidError(
                "video back end 'decord' is not installed; pip install 'hlvid[decord]', or use pyav"
            ) from error
        self._decord, self._path, self._threads = decord, path, threads or 0
        self._readers: dict[Size | None, Any] = {}
        reader = self._reader(None)
        height, width = reader[0].shape[:2]
        count, fps = len(reader), float(reader.get_avg_fps())
        stamps = np.asarray(reader.get_frame_timestamp(np.arange(count)), np.float64)
        self._info = Info(
            width=int(width),
            height=int(height),
            fps=fps,
            frame_count=count,
            duration=float(stamps[-1, 1] - stamps[0, 0]),
            codec="unknown",
            rotation=0,
            pix_fmt="unknown",
            decoder=f"decord {decord.__version__} (its own ffmpeg and scaler)",
            timestamps=stamps[:, 0] - stamps[0, 0],
        )

    @property
    def info(self) -> Info:
        """What decord says of the file; it tells neither codec, pixel format nor rotation."""
        return self._info

    def stream(self, indices: Sequence[int], size: Size | None) -> Iterator[tuple[int, Picture]]:
        """(index, uint8 (height, width, 3)), one at a time."""
        reader = self._reader(size)
        for index in indices:
            try:
                yield index, reader[index].asnumpy()
            except (self._decord.DECORDError, IndexError) as error:
                raise VideoError(f"{self._path}: decord cannot read frame {index}; try pyav") from error

    def close(self) -> None:
        """Free the readers."""
        self._readers.clear()

    def _reader(self, size: Size | None) -> Any:
        if size not in self._readers:
            height, width = size or (-1, -1)
            try:
                reader = self._decord.VideoReader(
                    str(self._path), width=width, height=height, num_threads=self._threads
                )
            except (self._decord.DECORDError, RuntimeError) as error:
                raise VideoError(f"{self._path}: decord cannot open it; try pyav") from error
            self._readers = {**({None: self._readers[None]} if None in self._readers else {}), size: reader}
        return self._readers[size]
