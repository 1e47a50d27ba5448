"""Between the published interface and ours: token counts, timing hooks, another selector in AutoGaze's place.

Example::

    processor._get_gazing_info_from_videos = GazeWith(get("random"), processor, settings, stages)
    count_tokens(processor(text=…, videos=…), processor)    # {"tiles": 45, "tokens_before": …, …}
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from autogaze.gaze import Gaze, tokens_per_frame
from autogaze.nvila.gazing import gaze_at
from autogaze.nvila.settings import Kind, VideoSettings
from autogaze.nvila.stages import Stages
from autogaze.selectors.base import Selector

KINDS: dict[Kind, str] = {"tile": "tiles", "thumbnail": "thumbnails"}


@dataclass(frozen=True)
class GazeWith:
    """Stands for the published processor's method that asks AutoGaze: same argument, same dict."""

    selector: Selector
    processor: Any
    settings: VideoSettings
    stages: Stages

    def __call__(self, videos_inputs: Mapping[str, Any]) -> dict[str, list[Tensor]]:
        """videos_inputs: lists, one entry a video, of `pixel_values_videos_tiles` and `…_thumbnails`."""
        out: dict[str, list[Tensor]] = {}
        with self.stages.measure("selector"):
            for kind, plural in KINDS.items():
                gazes = [self._gaze(clips, kind) for clips in videos_inputs[f"pixel_values_videos_{plural}"]]
                out[f"gazing_pos_{plural}"] = [gaze.positions for gaze in gazes]
                out[f"if_padded_gazing_{plural}"] = [gaze.padded for gaze in gazes]
                out[f"num_gazing_each_frame_{plural}"] = [
                    torch.tensor(gaze.per_frame).expand(gaze.batch, -1).clone() for gaze in gazes
                ]
        return out

    def _gaze(self, clips: Tensor, kind: Kind) -> Gaze:
        """Clips (B, T, 3, S, S), normalised for the encoder -> their gaze, a few clips at a time."""
        ratio, loss = self.settings.request(kind)
        mean, std = (
            _row(getattr(self.processor.image_processor, name)) for name in ("image_mean", "image_std")
        )
        parts = [
            gaze_at(
                (part.float().cpu() * std + mean).clamp(0, 1),
                self.selector,
                list(self.processor.target_scales),
                int(self.processor.target_patch_size),
                ratio,
                loss,
            )
            for part in torch.split(clips, self.settings.max_batch_size_autogaze)
        ]
        return Gaze.cat(parts)


def _row(value: Any) -> Tensor:
    values = [float(v) for v in (value if isinstance(value, list | tuple) else [value] * 3)]
    return torch.tensor(values).view(3, 1, 1)


def count_tokens(inputs: Mapping[str, Any], processor: Any) -> dict[str, Any]:
    """Tiles, patches there are and patches gazed, as far as the processor's output tells."""
    out: dict[str, Any] = {}
    if "num_spatial_tiles_each_video" in inputs:
        out["tiles"] = int(inputs["num_spatial_tiles_each_video"][0])
    clips = [part for kind in KINDS.values() for part in inputs.get(f"pixel_values_videos_{kind}") or ()]
    scales, patch = (getattr(processor, name, None) for name in ("target_scales", "target_patch_size"))
    if clips and scales and patch:
        out["tokens_before"] = sum(c.shape[0] * c.shape[1] for c in clips) * tokens_per_frame(scales, patch)
    info = inputs.get("gazing_info") or {}
    padded = [part for kind in KINDS.values() for part in info.get(f"if_padded_gazing_{kind}") or ()]
    if padded:
        out["tokens_selected"] = sum(int((~part.bool()).sum()) for part in padded)
    return out


def to_device(value: Any, device: torch.device) -> Any:
    """Tensors in dicts and lists to a device; everything else as it is."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {key: to_device(item, device) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_device(item, device) for item in value]
    return value


def time_model(model: nn.Module, gazer: nn.Module | None, stages: Stages) -> None:
    """Hook the selector, the vision tower and the language model.

    A language model's call with more than one position is prefill, others are generation.
    """
    from autogaze.vision_encoders.siglip import SiglipVisionModel

    if gazer is not None:
        _hook(gazer, stages, lambda _: "selector")
    for module in model.modules():
        if isinstance(module, SiglipVisionModel):
            _hook(module, stages, lambda _: "encoder")
        elif type(module).__name__.endswith("ForCausalLM"):
            _hook(module, stages, _phase)


def _phase(arguments: Mapping[str, Any]) -> str:
    read = arguments.get("inputs_embeds")
    read = arguments.get("input_ids") if read is None else read
    return "prefill" if isinstance(read, Tensor) and read.shape[1] > 1 else "generation"


def _hook(module: nn.Module, stages: Stages, name: Callable[[Mapping[str, Any]], str]) -> None:
    """Time every call; a module that calls itself inside is not among the three."""
    started: list[float] = []

    def before(*_: Any) -> None:
        started.append(_now(stages.device))

    def after(_: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        stages.add(name(kwargs), _now(stages.device) - started.pop())

    module.register_forward_pre_hook(before)
    module.register_forward_hook(after, with_kwargs=True)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
