"""Stand-ins for the video readers that models call, so that whichever they call gives our frames.

A model reads a path in its own way; it is given the path, and the reader answers with the frames decoded by
`hlvid.video`. To a model that samples by itself the file has exactly these frames, so that asking for as
many gives all of them. Any other path is refused.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from evaluators.models.frames import decord_standin
from evaluators.models.frames.delivery import Delivery
from evaluators.models.frames.served import Served, now, take
from hlvid.video.picture import Picture

BACKEND = "hlvid"


@contextmanager
def serving(delivery: Delivery, modules: Sequence[ModuleType]) -> Iterator[Served]:
    """Readers give `delivery` in here; `modules` are those that may hold readers under names of their own."""
    with ExitStack() as stack:
        for module, name, stand_in in _replacements(modules):
            stack.enter_context(patch.object(module, name, stand_in))
        yield stack.enter_context(now(Served(delivery)))


def modules_of(inner: object) -> list[ModuleType]:
    """The modules that may read videos for a model: its classes' own, and code that came with a checkpoint."""
    names = dict.fromkeys(cls.__module__ for cls in type(inner).__mro__ if cls.__module__ in sys.modules)
    ours = [name for name in names if name.startswith("lmms_eval.models")]
    remote = [name for name in sys.modules if name.startswith("transformers_modules.")]
    return [sys.modules[name] for name in (*ours, *remote)]


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

    delivery = take(ele["video"], "qwen_vl_utils")
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
    delivery = take(video_url_or_urls, "transformers")
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
    return take(video_path, "lmms_eval.read_video").frames.copy()


def load_video_decord(video_path: Any, max_frames_num: int) -> Picture:
    """lmms-eval's load_video_decord."""
    return take(video_path, "lmms_eval.load_video_decord").frames.copy()


def read_video_custom(video_path: Any, *_: Any, **__: Any) -> tuple[Picture, list[float]]:
    """The reader of lmms-eval's videollama3: frames, and when each is shown."""
    delivery = take(video_path, "lmms_eval.videollama3")
    return delivery.frames.copy(), list(delivery.times)


def _replacements(modules: Sequence[ModuleType]) -> list[tuple[Any, str, Any]]:
    """(module, name, stand-in) of every reader that can be reached."""
    found: list[tuple[Any, str, Any]] = []
    for module in modules:
        for name, stand_in in _BY_NAME.items():
            if name in vars(module):
                found.append((module, name, stand_in))
        if vars(module).get("decord") is not None:
            found.append((module, "decord", decord_standin.module()))
    for where, name, stand_in in (
        ("qwen_vl_utils.vision_process", "fetch_video", fetch_video),
        ("qwen_vl_utils", "fetch_video", fetch_video),
        ("decord", "VideoReader", decord_standin.VideoReader),
    ):
        if hasattr(sys.modules.get(where), name):
            found.append((sys.modules[where], name, stand_in))
    if "transformers.video_processing_utils" in sys.modules:
        base = sys.modules["transformers.video_processing_utils"].BaseVideoProcessor
        found.append((base, "fetch_videos", fetch_videos))
    return found


_BY_NAME = {
    "VideoReader": decord_standin.VideoReader,
    "read_video": read_video,
    "load_video_decord": load_video_decord,
    "read_video_custom": read_video_custom,
}
