"""Stand-ins for the video readers that models call, so that whichever they call gives our frames.

A model reads a path in its own way; it is given the path, and the reader answers with the frames decoded by
`hlvid.video`. To a model that samples by itself the file has exactly these frames, so that asking for as
many gives all of them. Any other path is refused. decord, without which many models of lmms-eval cannot even
be imported, need not be installed.
"""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from evaluators.models.frames.delivery import Delivery
from hlvid.errors import RunError
from hlvid.video.picture import Picture

BACKEND = "hlvid"


@dataclass
class Served:
    """What a model took while it was served: by which readers, and which of the frames at each opening of the file."""

    delivery: Delivery
    readers: list[str] = field(default_factory=list)
    takes: list[list[int]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the model took each frame once and in order.

        It may do so more than once, or open the file besides for its first frame, to learn the size.
        """
        whole = list(range(self.delivery.count))
        looked = [take for take in self.takes if take and (take != [0] or take == whole)]
        return bool(looked) and all(take == whole * (len(take) // len(whole)) for take in looked)

    @property
    def taken(self) -> set[int]:
        """The frames that it took at any time."""
        return {place for take in self.takes for place in take}

    def open(self, path: Any, reader: str) -> Delivery:
        """The delivery, if the path is the one that is served."""
        asked = path[0] if isinstance(path, list | tuple) and len(path) == 1 else path
        if Path(str(asked).removeprefix("file://")) != self.delivery.path:
            raise RunError(f"the model reads {asked!r} with {reader}, but was given {self.delivery.path}")
        self.readers.append(reader)
        self.takes.append([])
        return self.delivery


_serving: list[Served] = []


def _open(path: Any, reader: str) -> Delivery:
    if not _serving:
        raise RunError(f"{path}: read with {reader} while no question was being asked")
    return _serving[-1].open(path, reader)


def _take(path: Any, reader: str) -> Delivery:
    """Open, and take all frames."""
    delivery = _open(path, reader)
    _serving[-1].takes[-1] += range(delivery.count)
    return delivery


@contextmanager
def serving(delivery: Delivery, modules: Sequence[ModuleType]) -> Iterator[Served]:
    """Readers give `delivery` in here; `modules` are those that may hold readers under names of their own."""
    served = Served(delivery)
    with ExitStack() as stack:
        for module, name, stand_in in _replacements(modules):
            stack.enter_context(patch.object(module, name, stand_in))
        _serving.append(served)
        try:
            yield served
        finally:
            _serving.pop()


@contextmanager
def importable() -> Iterator[None]:
    """Modules imported in here find a decord: the stand-in where there is no real one."""
    if importlib.util.find_spec("decord") is not None:
        yield
        return
    sys.modules["decord"] = decord_module()
    try:
        yield
    finally:
        del sys.modules["decord"]


def modules_of(inner: object) -> list[ModuleType]:
    """The modules that may read videos for a model: its classes' own, and code that came with a checkpoint."""
    names = dict.fromkeys(cls.__module__ for cls in type(inner).__mro__ if cls.__module__ in sys.modules)
    ours = [name for name in names if name.startswith("lmms_eval.models")]
    remote = [name for name in sys.modules if name.startswith("transformers_modules.")]
    return [sys.modules[name] for name in (*ours, *remote)]


class VideoReader:
    """decord.VideoReader for one served file: as many frames as were delivered, at their own rate."""

    def __init__(self, uri: Any, *_: Any, **__: Any) -> None:
        self._delivery = _open(uri, "decord")
        self._taken = _serving[-1].takes[-1]

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


def decord_module() -> ModuleType:
    """A module `decord` with what models import from it."""
    module = ModuleType("decord")
    module.__dict__.update(VideoReader=VideoReader, cpu=_context, gpu=_context, __version__=BACKEND)
    module.__dict__["bridge"] = SimpleNamespace(set_bridge=lambda _: None)
    module.__spec__ = ModuleSpec("decord", None)  # importlib.util.find_spec("decord") asks for it
    return module


def _context(index: int = 0) -> int:
    return index


def fetch_video(
    ele: dict[str, Any],
    *_: Any,
    return_video_sample_fps: bool = False,
    return_video_metadata: bool = False,
    **__: Any,
) -> Any:
    """qwen_vl_utils.fetch_video without its caps: uint8 (T, 3, H, W), with the file's true times.

    The original gives the same numbers as float32: four times the memory.
    """
    import torch

    delivery = _take(ele["video"], "qwen_vl_utils")
    video = torch.from_numpy(delivery.frames).permute(0, 3, 1, 2)
    metadata = {
        "fps": delivery.fps,
        "frames_indices": list(delivery.indices),
        "total_num_frames": delivery.total,
        "video_backend": BACKEND,
    }
    final = (video, metadata) if return_video_metadata else video
    return (final, delivery.sample_fps) if return_video_sample_fps else final


def fetch_videos(processor: Any, video_url_or_urls: Any, sample_indices_fn: Any = None) -> Any:
    """transformers' video processors: frames and the file's metadata; sampling functions have no say."""
    from transformers.video_utils import VideoMetadata

    if isinstance(video_url_or_urls, list):
        pairs = [fetch_videos(processor, one, sample_indices_fn) for one in video_url_or_urls]
        return list(zip(*pairs, strict=True))
    delivery = _take(video_url_or_urls, "transformers")
    height, width = delivery.size
    metadata = VideoMetadata(
        total_num_frames=delivery.total,
        fps=delivery.fps,
        width=width,
        height=height,
        duration=delivery.duration,
        video_backend=BACKEND,
        frames_indices=list(delivery.indices),
    )
    return delivery.frames.copy(), metadata


def read_video(video_path: Any, **_: Any) -> Picture:
    """lmms-eval's read_video."""
    return _take(video_path, "lmms_eval.read_video").frames.copy()


def load_video_decord(video_path: Any, max_frames_num: int) -> Picture:
    """lmms-eval's load_video_decord."""
    return _take(video_path, "lmms_eval.load_video_decord").frames.copy()


def read_video_custom(video_path: Any, *_: Any, **__: Any) -> tuple[Picture, list[float]]:
    """The reader of lmms-eval's videollama3: frames, and when each is shown."""
    delivery = _take(video_path, "lmms_eval.videollama3")
    return delivery.frames.copy(), list(delivery.times)


def _replacements(modules: Sequence[ModuleType]) -> list[tuple[Any, str, Any]]:
    """(module, name, stand-in) of every reader that can be reached."""
    found: list[tuple[Any, str, Any]] = []
    for module in modules:
        for name, stand_in in _BY_NAME.items():
            if name in vars(module):
                found.append((module, name, stand_in))
        if vars(module).get("decord") is not None:
            found.append((module, "decord", decord_module()))
    for where, name, stand_in in (
        ("qwen_vl_utils.vision_process", "fetch_video", fetch_video),
        ("qwen_vl_utils", "fetch_video", fetch_video),
        ("decord", "VideoReader", VideoReader),
    ):
        if hasattr(sys.modules.get(where), name):
            found.append((sys.modules[where], name, stand_in))
    if "transformers.video_processing_utils" in sys.modules:
        base = sys.modules["transformers.video_processing_utils"].BaseVideoProcessor
        found.append((base, "fetch_videos", fetch_videos))
    return found


_BY_NAME = {
    "VideoReader": VideoReader,
    "read_video": read_video,
    "load_video_decord": load_video_decord,
    "read_video_custom": read_video_custom,
}
