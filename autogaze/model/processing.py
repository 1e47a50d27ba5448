"""`AutoGazeImageProcessor`: frames as they come from a decoder, to the pixels AutoGaze was trained on.

    processor = AutoGazeImageProcessor.from_pretrained("nvidia/AutoGaze")
    video = processor(frames, return_tensors="pt").pixel_values     # (T, H, W, 3) uint8 -> (1, T, 3, 224, 224)

Resize (bilinear, antialiased, to whole grey levels, as Pillow does it), times 1/127.5, minus 1, then
normalise by `image_mean` and `image_std`. With the published 0.5 / 0.5 that maps 0..255 to -3..1.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.model.checkpoint import find_file

Frames = Any
"""uint8 frames (H, W, 3) or (3, H, W), a sequence or array of them, or a sequence of such videos."""

_BILINEAR = 2  # Pillow's number, which the published preprocessor_config.json uses


class Features(dict[str, Any]):
    """A dict whose entries are also attributes, like the published processor's result."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class AutoGazeImageProcessor:
    """Turns frames into model input; the fields are those of the published `preprocessor_config.json`.

    size: {"height", "width"} or the pair (height, width), or {"shortest_edge"} to keep the aspect ratio (then
    usually with `do_center_crop`).
    image_mean, image_std: one number or three.
    """

    do_resize: bool = True
    size: dict[str, int] | Sequence[int] | None = None
    resample: int = _BILINEAR
    do_center_crop: bool = False
    crop_size: dict[str, int] | None = None
    do_rescale: bool = True
    rescale_factor: float = 1 / 127.5
    offset: bool = True
    do_normalize: bool = True
    image_mean: float | Sequence[float] = 0.5
    image_std: float | Sequence[float] = 0.5

    def __post_init__(self) -> None:
        if self.resample != _BILINEAR:
            raise ValueError(f"resample={self.resample}: expected {_BILINEAR} (bilinear)")
        if isinstance(self.size, list | tuple) and len(self.size) == 2:
            object.__setattr__(self, "size", dict(zip(("height", "width"), self.size, strict=True)))
        if self.offset and not self.do_rescale:
            raise ValueError("offset=True with do_rescale=False: expected offset=False, or rescaling too")

    @classmethod
    def from_pretrained(
        cls, source: str | Path, revision: str | None = None, **changes: Any
    ) -> "AutoGazeImageProcessor":
        """Read `preprocessor_config.json` from a folder or hub id; `changes` override its entries."""
        given = json.loads(find_file(source, "preprocessor_config.json", revision).read_text())
        known = {field.name for field in fields(cls)}
        for name in changes:
            if name not in known:
                raise ValueError(
                    f"{name}={changes[name]!r}: no such setting; allowed: {', '.join(sorted(known))}"
                )
        kept = {
            name: value for name, value in {**given, **changes}.items() if name in known and value is not None
        }
        return cls(**kept)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `preprocessor_config.json`, as `from_pretrained` and the published package read it."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        data = {name: value for name, value in asdict(self).items() if value is not None}
        for name in ("image_mean", "image_std"):
            data[name] = self._three(data[name])
        data["image_processor_type"] = "AutoGazeImageProcessor"
        (folder / "preprocessor_config.json").write_text(json.dumps(data, indent=2) + "\n")

    def __call__(
        self, videos: Frames, return_tensors: Literal["pt", "np"] | None = None, **changes: Any
    ) -> Features:
        """`preprocess` under the published name."""
        return self.preprocess(videos, return_tensors, **changes)

    def preprocess(
        self, videos: Frames, return_tensors: Literal["pt", "np"] | None = None, **changes: Any
    ) -> Features:
        """Frames of one video or of several -> `pixel_values`.

        videos: uint8; (T, H, W, 3), (T, 3, H, W), one frame, a list of frames, or a list of such lists.
        return_tensors: "pt" or "np" for one float32 array (videos, T, 3, h, w); None for lists of frames.
        changes: fields to change for this call. Raises ValueError where the input is no video.
        """
        tool = replace(self, **changes) if changes else self
        if return_tensors not in ("pt", "np", None):
            raise ValueError(f"return_tensors={return_tensors!r}: expected 'pt', 'np' or None")
        clips = [tool.pixels(video) for video in _split(videos)]
        if return_tensors and len({clip.shape for clip in clips}) > 1:
            raise ValueError(
                f"videos: {[len(clip) for clip in clips]} frames, expected as many in each, or None"
            )
        if return_tensors == "pt":
            return Features(pixel_values=torch.stack(clips))
        if return_tensors == "np":
            return Features(pixel_values=torch.stack(clips).numpy())
        return Features(pixel_values=[list(clip.numpy()) for clip in clips])

    def pixels(self, frames: Tensor) -> Tensor:
        """uint8 (T, 3, H, W) -> float32 (T, 3, h, w), all frames at once."""
        if self.do_resize:
            height, width = self._target(*frames.shape[-2:])
            if frames.shape[-2:] != (height, width):
                frames = resize(frames, height, width)
        if self.do_center_crop:
            frames = _crop(frames, self.crop_size or {"height": 224, "width": 224})
        # Only 256 levels can occur: one table lookup gives exactly the published arithmetic.
        table = self._table().to(frames.device)
        channel = 256 * torch.arange(3, device=frames.device)[:, None, None]
        return table.flatten()[frames.long() + channel]

    def from_unit(self, clips: Tensor) -> Tensor:
        """Float (..., 3, H, W) in [0, 1] -> model input; the map of `pixels` without rounding or resizing."""
        x = clips * (255 * self.rescale_factor) if self.do_rescale else clips * 255
        x = x - 1 if self.offset else x
        if not self.do_normalize:
            return x
        mean, std = (torch.tensor(self._three(v), device=x.device).view(3, 1, 1) for v in self._stats())
        return (x - mean) / std

    def _table(self) -> Tensor:
        """Float32 (3, 256): the value of every grey level in every channel, computed as published."""
        levels = np.arange(256, dtype=np.uint8)
        x = (
            (levels.astype(np.float64) * self.rescale_factor).astype(np.float32)
            if self.do_rescale
            else levels
        )
        x = x - 1 if self.offset else x
        if not self.do_normalize:
            return torch.from_numpy(np.stack([x.astype(np.float32)] * 3))
        mean, std = (np.array(self._three(v), dtype=np.float32)[:, None] for v in self._stats())
        return torch.from_numpy(((x.astype(np.float32)[None] - mean) / std).astype(np.float32))

    def _stats(self) -> tuple[float | Sequence[float], float | Sequence[float]]:
        return self.image_mean, self.image_std

    @staticmethod
    def _three(value: float | Sequence[float]) -> list[float]:
        values = [float(value)] * 3 if isinstance(value, int | float) else [float(v) for v in value]
        if len(values) != 3:
            raise ValueError(f"image_mean or image_std {values}: expected one number or three")
        return values

    def _target(self, height: int, width: int) -> tuple[int, int]:
        """The size a frame is resized to."""
        size = self.size or {"height": 224, "width": 224}
        if not isinstance(size, dict):
            raise ValueError(f"size={size}: expected a dict or the pair (height, width)")
        if "shortest_edge" in size:
            short = size["shortest_edge"]
            if height <= width:
                return short, int(short * width / height)
            return int(short * height / width), short
        if "height" not in size or "width" not in size:
            raise ValueError(f"size={size}: expected 'height' and 'width', or 'shortest_edge'")
        return size["height"], size["width"]


def resize(frames: Tensor, height: int, width: int) -> Tensor:
    """uint8 (T, 3, H, W) to another size as Pillow's bilinear filter does it; within one grey level of it.

    On the CPU whatever the device, since GPUs have no such filter for whole grey levels.
    """
    there = frames.device
    frames = F.interpolate(
        frames.cpu(), (height, width), mode="bilinear", antialias=True, align_corners=False
    )
    return frames.to(there)


def _crop(frames: Tensor, size: dict[str, int]) -> Tensor:
    """The centre of the frames; zeros where they are smaller."""
    height, width = size["height"], size["width"]
    short = [max(0, width - frames.shape[-1]), max(0, height - frames.shape[-2])]
    frames = F.pad(frames, [part for n in short for part in (n // 2, n - n // 2)])
    top, left = (frames.shape[-2] - height) // 2, (frames.shape[-1] - width) // 2
    return frames[..., top : top + height, left : left + width]


def _split(videos: Frames) -> list[Tensor]:
    """Whatever way videos are given: a list of uint8 (T, 3, H, W)."""
    if isinstance(videos, list | tuple) and len(videos) == 0:
        raise ValueError("videos: empty, expected at least one frame")
    if isinstance(videos, list | tuple) and isinstance(videos[0], list | tuple):
        return [_stack(video) for video in videos]
    if isinstance(videos, list | tuple):
        first = _array(videos[0])
        return [_frames(_array(video)) for video in videos] if first.ndim == 4 else [_stack(videos)]
    whole = _array(videos)
    return [_frames(video) for video in whole] if whole.ndim == 5 else [_frames(whole)]


def _stack(frames: Sequence[Any]) -> Tensor:
    if not frames:
        raise ValueError("videos: one of them is empty, expected at least one frame")
    arrays = [_array(frame) for frame in frames]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ValueError(f"videos: frames of different shapes {shapes}, expected one size")
    return _frames(np.stack(arrays))


def _array(data: Any) -> npt.NDArray[np.uint8]:
    array = data.cpu().numpy() if isinstance(data, Tensor) else np.asarray(data)
    if array.dtype != np.uint8:
        raise ValueError(f"videos: dtype {array.dtype}, expected uint8 with values 0 to 255")
    return array


def _frames(array: npt.NDArray[np.uint8]) -> Tensor:
    """One frame or several, channels first or last -> (T, 3, H, W)."""
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or 0 in array.shape or 3 not in (array.shape[1], array.shape[3]):
        raise ValueError(f"videos: frames of shape {array.shape}, expected (T, H, W, 3) or (T, 3, H, W)")
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor if array.shape[3] != 3 else tensor.permute(0, 3, 1, 2)
