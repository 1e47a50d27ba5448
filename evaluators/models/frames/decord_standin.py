"""decord by name, on the frames that are served; many models of lmms-eval cannot even be imported without one."""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from evaluators.models.frames.served import opened
from hlvid.video.picture import Picture


@contextmanager
def importable() -> Iterator[None]:
    """Modules imported in here find a decord: the stand-in where there is no real one."""
    if importlib.util.find_spec("decord") is not None:
        yield
        return
    sys.modules["decord"] = module()
    try:
        yield
    finally:
        del sys.modules["decord"]


class VideoReader:
    """decord.VideoReader for one served file: as many frames as were delivered, at their own rate."""

    def __init__(self, uri: Any, *_: Any, **__: Any) -> None:
        self._delivery, self._taken = opened(uri, "decord")

    def __len__(self) -> int:
        return self._delivery.count

    def __getitem__(self, index: int) -> "Batch":
        return self._frames(range(self._delivery.count)[index])

    def get_avg_fps(self) -> float:
        """Frames per second of the file, as far as the model is concerned."""
        return self._delivery.sample_fps

    def get_batch(self, indices: Sequence[int]) -> "Batch":
        """The frames of these indices, 0 to len - 1."""
        return self._frames(np.asarray(indices, dtype=np.int64))

    def _frames(self, index: Any) -> "Batch":
        self._taken += np.atleast_1d(index).tolist()
        return Batch(self._delivery.frames[index])

    def get_frame_timestamp(self, index: Any) -> Any:
        """(start, end) in seconds of the frames on show in the file."""
        starts = np.asarray(self._delivery.times)[index]
        return np.stack([starts, starts + 1 / self._delivery.fps], axis=-1)

    def seek(self, _: int) -> None:
        """Nothing to do: frames are in memory."""


class Batch:
    """Frames as decord hands them out."""

    def __init__(self, frames: Picture) -> None:
        self._frames = frames

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, H, W, 3), or (H, W, 3) for one frame."""
        return self._frames.shape

    def asnumpy(self) -> Picture:
        """A copy as uint8."""
        return self._frames.copy()


def module() -> ModuleType:
    """A module `decord` with what models import from it."""
    made = ModuleType("decord")
    made.__dict__.update(VideoReader=VideoReader, cpu=_context, gpu=_context, __version__="hlvid")
    made.__dict__["bridge"] = SimpleNamespace(set_bridge=lambda _: None)
    made.__spec__ = ModuleSpec("decord", None)  # importlib.util.find_spec("decord") asks for it
    return made


def _context(index: int = 0) -> int:
    return index
