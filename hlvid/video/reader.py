"""One video file, read exactly: frame i is the i-th frame that a full sequential decode gives.

Example::

    with Video.open("clip.mp4") as video:
        print(video.width, video.height, video.frame_count, video.decoder)
        frames = video.frames([0, 10, 10, 3], size=(504, 896))      # uint8 (4, 504, 896, 3) RGB, as asked
        for index, picture in video.stream(range(0, 300, 5)):       # one frame in memory at a time
            ...
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hlvid.errors import VideoError

Picture = npt.NDArray[np.uint8]


class Video:
    """An open video; see the module's example. Made by `Video.open`."""

    def __init__(self, path: Path) -> None:
        import av

        self.path = path
        self.decoder = f"pyav {av.__version__}"
        self.rotation = 0
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                self.codec = str(stream.codec_context.name)
                self.pix_fmt = str(stream.codec_context.pix_fmt)
                self.width, self.height = int(stream.width), int(stream.height)
                self.fps = float(stream.average_rate or 0)
            self.frame_count = sum(1 for _ in self._decode())
        except (OSError, av.error.FFmpegError, IndexError) as error:
            raise VideoError(f"{path}: cannot be read as a video ({error}); is the file complete?") from error
        if self.frame_count == 0:
            raise VideoError(f"{path}: no frame decodes; is the file complete?")
        self.duration = self.frame_count / self.fps if self.fps else 0.0

    @classmethod
    def open(cls, path: str | Path, backend: str = "pyav", strict: bool = False) -> "Video":
        """Open a file; raises VideoError if it is missing or holds no readable video."""
        del backend, strict
        return cls(Path(path))

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the decoder."""

    def _decode(self) -> Iterator[Any]:
        import av

        with av.open(str(self.path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            yield from container.decode(video=0)

    def frames(self, indices: Sequence[int], size: tuple[int, int] | None = None) -> Picture:
        """The frames of `indices` in that order: uint8 (T, H, W, 3) RGB; `size` is (height, width)."""
        h, w = size or (self.height, self.width)
        out = np.empty((len(indices), h, w, 3), np.uint8)
        for index, picture in self.stream(sorted(set(indices)), size):
            out[[i for i, wanted in enumerate(indices) if wanted == index]] = picture
        return out

    def stream(
        self, indices: Sequence[int], size: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, Picture]]:
        """(index, uint8 (H, W, 3) RGB) of each frame of `indices`, ascending, in constant memory."""
        wanted = set(indices)
        if wanted and not 0 <= min(wanted) <= max(wanted) < self.frame_count:
            raise VideoError(
                f"{self.path}: frame {max(wanted)} asked; the video has {self.frame_count} frames"
            )
        h, w = size or (self.height, self.width)
        for index, frame in enumerate(self._decode()):
            if index in wanted:
                picture: Picture = frame.reformat(w, h, "rgb24", interpolation="BICUBIC").to_ndarray()
                yield index, picture
            if wanted and index >= max(wanted):
                return
