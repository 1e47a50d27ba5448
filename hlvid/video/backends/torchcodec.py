"""torchcodec in its exact mode, for comparison.

Example::

    with Video.open("clip.mp4", backend="torchcodec") as video:   # pip install torchcodec, and FFmpeg's
    libraries
        ...

torchcodec's own resizing needs torchvision, so frames are resized here by OpenCV (INTER_AREA when
shrinking, else INTER_CUBIC), which is another filter than the decoder of record has.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hlvid.errors import HlvidError, VideoError
from hlvid.video.backends.base import Info, Size
from hlvid.video.picture import Picture


class TorchcodecBackend:
    """One file, read by `torchcodec.decoders.VideoDecoder(seek_mode="exact")`."""

    def __init__(self, path: Path, threads: int | None = None, stream: int | None = None) -> None:
        """Raises HlvidError if torchcodec is not usable, VideoError if it cannot open the file."""
        try:
            import torchcodec
            from torchcodec.decoders import VideoDecoder
        except (ImportError, RuntimeError, OSError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise HlvidError(
                f"video back end 'torchcodec' cannot be used ({reason}); "
                "pip install torchcodec with FFmpeg's shared libraries, or use pyav"
            ) from error
        self._path = path
        try:
            self._video: Any = VideoDecoder(
                str(path), dimension_order="NHWC", seek_mode="exact", num_ffmpeg_threads=threads or 1
            )
            self._info = _info(self._video, str(torchcodec.__version__))
        except (RuntimeError, ValueError) as error:
            raise VideoError(f"{path}: torchcodec cannot open it; try pyav") from error

    @property
    def info(self) -> Info:
        """What torchcodec says of the file."""
        return self._info

    def stream(self, indices: Sequence[int], size: Size | None) -> Iterator[tuple[int, Picture]]:
        """(index, uint8 (height, width, 3)), one at a time."""
        for index in indices:
            try:
                picture: Picture = self._video.get_frame_at(index).data.numpy()
            except (RuntimeError, IndexError) as error:
                raise VideoError(f"{self._path}: torchcodec cannot read frame {index}; try pyav") from error
            yield index, picture if size is None else _resize(picture, size)

    def close(self) -> None:
        """Free the decoder."""
        self._video = None


def _info(video: Any, version: str) -> Info:
    meta = video.metadata
    count, fps = int(meta.num_frames), float(meta.average_fps)
    height, width = video.get_frame_at(0).data.shape[:2]
    begin = float(meta.begin_stream_seconds_from_content or 0.0)
    end = float(meta.end_stream_seconds_from_content or begin + count / fps)
    stamps = np.arange(count) * (end - begin) / count
    return Info(
        width=int(width),
        height=int(height),
        fps=fps,
        frame_count=count,
        duration=end - begin,
        codec=str(meta.codec),
        rotation=round(-float(getattr(meta, "rotation", None) or 0)) % 360,
        pix_fmt=str(getattr(meta, "pixel_format", None) or "unknown"),
        decoder=f"torchcodec {version} (exact; resized by OpenCV)",
        timestamps=stamps,
    )


def _resize(picture: Picture, size: Size) -> Picture:
    import cv2

    shrinking = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    resized: Picture = cv2.resize(picture, (size[1], size[0]), interpolation=method)
    return resized
