"""One video file, read exactly: frame i is the i-th frame that a full sequential decode gives.

>>> with Video.open(clip) as video:
...     video.width, video.height, video.frame_count
...     video.frames([0, 10, 10, 3], size=(72, 128)).shape       # uint8, RGB, in that order
...     for index, picture in video.stream(range(0, 20, 10)):    # one frame in memory at a time
...         print(index, picture.shape)
(128, 72, 20)
(4, 72, 128, 3)
0 (72, 128, 3)
10 (72, 128, 3)

Sizes are (height, width) as shown: in square pixels (the file's sample aspect ratio is applied) and after its
rotation. A damaged file gives the frames that decode, those behind the damage too, and a `VideoWarning` that
says what is missing; with `strict=True` it gives a VideoError. `decoder` names all versions that decide about
pixels.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hlvid.errors import VideoError
from hlvid.video.picture import Picture, Size
from hlvid.video.pyav import PyavReader, View, describe


class VideoWarning(UserWarning):
    """A video is damaged or odd, but frames of it can be read."""


_damage: dict[Path, tuple[str, ...]] = {}


def damage_found(path: str | Path) -> tuple[str, ...]:
    """What this process has found broken in a file by reading it, in words; empty for one that it did not open."""
    return _damage.get(Path(path).absolute(), ())


class Video:
    """An open video; made by `Video.open`.

    Beside the methods: `path`, `width`, `height` (as shown), `fps` (average), `frame_count`, `duration`
    (seconds), `codec`, `rotation` (degrees clockwise, already applied), `sample_aspect` (already applied),
    `stream_number` (in the file), `pix_fmt`, `decoder`, `timestamps`, `damage`, `notes`.
    """

    def __init__(self, path: Path, reader: PyavReader, strict: bool) -> None:
        self.path = path
        self._reader = reader
        self._strict = strict
        self._told: tuple[str, ...] = ()
        self._index = reader.index
        self._refresh()

    @classmethod
    def open(
        cls,
        path: str | Path,
        strict: bool = False,
        threads: int | None = None,
        stream: int | None = None,
    ) -> "Video":
        """Open a video file.

        strict: a file known to be damaged is an error instead of a warning.
        stream: which one to read, by its number in the file; None for the best that is a video. Covers, stills
            and attached pictures never are.
        threads: decoding threads; None keeps 4K H.264 below 300 MB (2 at 4K, up to 8 for small pictures).

        Raises VideoError if the file is missing, is not a video or has no frame that decodes.
        """
        import av

        path = Path(path)
        if not path.is_file():
            raise VideoError(f"{path}: {_absent(path)}")
        if path.stat().st_size == 0:
            raise VideoError(f"{path}: the file is empty; fetch it again")
        try:
            return cls(path, PyavReader(path, threads, stream), strict)
        except (av.error.FFmpegError, OSError) as error:
            why = error.strerror or str(error)
            raise VideoError(f"{path}: cannot be read as a video ({why}); fetch the file again") from error

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Video {self.path.name}: {self.width} x {self.height} {self.codec}, {self.frame_count} frames>"
        )

    def close(self) -> None:
        """Nothing stays open between calls."""

    @property
    def width(self) -> int:
        """Pixels across, as shown."""
        return self._index.shape.shown[1]

    @property
    def height(self) -> int:
        """Pixels down, as shown."""
        return self._index.shape.shown[0]

    @property
    def fps(self) -> float:
        """Frames per second, on average."""
        return self._index.fps

    @property
    def frame_count(self) -> int:
        """Frames that a full sequential decode gives."""
        return self._index.count

    @property
    def duration(self) -> float:
        """Seconds from the first frame's start to the last one's end."""
        return self._index.duration

    @property
    def codec(self) -> str:
        """Such as "h264"."""
        return self._index.codec

    @property
    def rotation(self) -> int:
        """Degrees clockwise by which stored pictures have been turned: 0, 90, 180 or 270."""
        return self._index.shape.turn.degrees

    @property
    def sample_aspect(self) -> Fraction:
        """How many times a stored pixel is as wide as high; `width` has been stretched by it."""
        return self._index.shape.aspect

    @property
    def stream_number(self) -> int:
        """Which stream of the file is read."""
        return self._index.stream

    @property
    def pix_fmt(self) -> str:
        """Such as "yuv420p10le"."""
        return self._index.pix_fmt

    @property
    def decoder(self) -> str:
        """Versions and scaler: what a result row has to record."""
        return describe()

    @property
    def timestamps(self) -> npt.NDArray[np.float64]:
        """(frame_count,) seconds at which each frame is first shown, counted from the first frame."""
        return self._index.seconds

    @property
    def notes(self) -> tuple[str, ...]:
        """What is damaged or odd, in words; empty for a sound and plain file."""
        return self._index.notes

    @property
    def damage(self) -> tuple[str, ...]:
        """What is broken, in words: a part of `notes`; empty for a sound file."""
        return self._index.damage

    def frames(self, indices: Sequence[int], size: Size | None = None) -> Picture:
        """The frames of `indices`, in that order, repeats included: uint8 (T, H, W, 3) RGB.

        size: (height, width) to resize to while decoding; None keeps the video's own.
        Raises VideoError for an index outside [0, frame_count) or one that does not decode.
        """
        wanted = self._checked(indices)
        height, width = self._size(size)
        out = np.empty((len(wanted), height, width, 3), np.uint8)
        places: dict[int, list[int]] = {}
        for place, index in enumerate(wanted):
            places.setdefault(index, []).append(place)
        for index, picture in self.stream(wanted, size):
            for place in places[index]:
                out[place] = picture
        return out

    def stream(self, indices: Sequence[int], size: Size | None = None) -> Iterator[tuple[int, Picture]]:
        """(index, uint8 (H, W, 3) RGB) of each distinct frame of `indices`, ascending, in constant memory.

        Arguments and errors as for `frames`; they are checked at once, not at the first frame.
        """
        self._size(size)
        return ((index, view(size)) for index, view in self.views(indices))

    def views(self, indices: Sequence[int]) -> Iterator[tuple[int, View]]:
        """(index, view) of each distinct frame of `indices`, ascending; `view(size)` is what `stream` gives.

        For several sizes of one decoding. Arguments and errors as for `stream`.
        """
        return self._views(sorted(set(self._checked(indices))))

    def _views(self, wanted: list[int]) -> Iterator[tuple[int, View]]:
        try:
            yield from self._reader.views(wanted)
        finally:
            self._refresh()

    def _refresh(self) -> None:
        """Take over what the reader knows by now; new damage is told once, or raised if strict."""
        self._index = self._reader.index
        if self._index.damage:
            _damage[self.path.absolute()] = self._index.damage
        if self._index.notes == self._told:
            return
        self._told = self._index.notes
        message = f"{self.path}: {'; '.join(self._told)}; {self.frame_count} frames can be read"
        if self._strict and self._index.damage:
            raise VideoError(f"{message}; fetch the file again")
        warnings.warn(message, VideoWarning, stacklevel=3)

    def _checked(self, indices: Sequence[int]) -> list[int]:
        wanted = [int(index) for index in indices]
        for index in wanted:
            if not 0 <= index < self.frame_count:
                raise VideoError(
                    f"{self.path}: frame {index} asked; the video has frames 0 to {self.frame_count - 1}"
                )
        return wanted

    def _size(self, size: Size | None) -> Size:
        height, width = size or (self.height, self.width)
        if min(height, width) < 1:
            raise VideoError(f"{self.path}: size {size} asked; height and width have to be at least 1 px")
        return height, width


def _absent(path: Path) -> str:
    """Why there is no file at `path`, with a remedy that fits it."""
    if path.is_dir():
        return "is a folder; name one video in it"
    if re.fullmatch(r"clip_\w+_video_\d+_\d+\.mp4", path.name):
        return "no such file; check the path, or fetch it with 'hlvid download'"
    return "no such file; check the path"
