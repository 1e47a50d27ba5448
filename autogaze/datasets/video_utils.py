"""The published package's helpers around PyAV, same names, signatures and results.

    raw = read_video_pyav(container=av.open(path), indices=list(range(16)))
    video = transform_video_for_pytorch(raw, processor)[None]                  # (1, 16, 3, 224, 224)

New code in this project reads video through `hlvid.video`, which seeks and checks; this decodes from the
start.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def read_video_pyav(container: Any, indices: Sequence[int]) -> npt.NDArray[np.uint8]:
    """The frames with these numbers, in the video's order, each once: uint8 (n, H, W, 3).

    container: an open PyAV container. indices: ascending frame numbers.
    Raises ValueError where there are none, or the video ends before the last of them.
    """
    wanted = {int(index) for index in indices}
    if not wanted or min(wanted) < 0:
        raise ValueError(f"indices={list(indices)}: expected at least one frame number, none negative")
    container.seek(0)
    frames = []
    last = max(wanted)
    for number, frame in enumerate(container.decode(video=0)):
        if number in wanted:
            frames.append(frame.to_ndarray(format="rgb24"))
        if number == last:
            return np.stack(frames)
    raise ValueError(f"indices: the last is {last}, but the video ends before it")


def process_video_frames(video: npt.NDArray[np.uint8], clip_len: int) -> npt.NDArray[np.uint8]:
    """Cut (T, H, W, 3) to `clip_len` frames, or repeat its last frame up to that."""
    if video.ndim != 4 or video.shape[-1] != 3 or not len(video):
        raise ValueError(f"video: shape {video.shape}, expected (T >= 1, H, W, 3)")
    return video[np.minimum(np.arange(clip_len), len(video) - 1)]


def transform_video_for_pytorch(
    video: npt.NDArray[Any], transform: Callable[[list[Any]], Any] | None = None
) -> Tensor:
    """Frames (T, H, W, 3), through an image processor if one is given, as a tensor (T, 3, h, w)."""
    pixels: Any = video
    if transform is not None:
        pixels = transform(list(video)).pixel_values
        if isinstance(pixels[0], list):  # a video processor answers with a list of videos
            pixels = pixels[0]
    array = np.stack([np.asarray(frame) for frame in pixels])
    if array.ndim != 4 or 3 not in (array.shape[1], array.shape[3]):
        raise ValueError(f"video: shape {array.shape} after the transform, expected 3 channels first or last")
    channels_last = array.shape[3] == 3
    return torch.tensor(np.transpose(array, (0, 3, 1, 2)) if channels_last else array)
