"""The model of lmms-eval inside `hlvid_frames`: made with our frames and pixels, asked in its own form."""

import inspect
from collections.abc import Callable
from typing import Any

from evaluators.models.frames.decord_standin import importable
from evaluators.models.frames.settings import FrameSettings
from hlvid.errors import RunError

SERVERS = (
    *("vllm", "vllm_generate", "sglang", "llava_sglang", "openai", "async_openai", "litellm", "srt_api"),
    *("batch_gpt4", "gpt4v", "gemini", "claude", "reka", "qwen_vl_api", "aero_realtime_vllm"),
)
"""Models of lmms-eval that ask a server or an engine of its own, into which no probe reaches."""


def build(settings: FrameSettings, arguments: dict[str, Any], device: str | None) -> Any:
    """The inner model, with our count of frames, our pixels and our device."""
    import torch
    from lmms_eval.models import MODEL_REGISTRY_V2

    if settings.inner in SERVERS:
        raise RunError(
            f"hlvid_frames: inner={settings.inner} computes elsewhere, where nothing can be measured; start a server "
            "and ask it with --model openai_frames (docs/serving.md)"
        )
    form = settings.form()
    with importable():
        try:
            cls = MODEL_REGISTRY_V2.get_model_class(settings.inner)
        except Exception as error:
            raise RunError(f"hlvid_frames: inner={settings.inner}: {error}") from error
    known = inspect.signature(cls.__init__).parameters
    if device is None and not torch.cuda.is_available():
        device = "cpu"  # lmms-eval's models would ask for a GPU
    ours: dict[str, Any] = {**form.fixed, "batch_size": 1}
    if form.count:
        ours[form.count] = settings.frames
    if form.pixels:
        ours[form.pixels[0]] = form.multiple**2
        ours[form.pixels[1]] = settings.resolution**2
    if device:
        ours["device"] = device
        if "device_map" in known:
            ours["device_map"] = device
    try:
        inner = cls(**{**ours, **arguments})
    except (ImportError, TypeError, ValueError, AssertionError, OSError) as error:
        raise RunError(f"hlvid_frames: inner={settings.inner} cannot be built: {error}") from error
    # lmms_eval.models.chat.llava_hf 0.7.3 sets videos to None when there are none, but not images.
    if settings.inner == "llava_hf" and not inner.is_simple:
        inner._image_processor = NoEmptyImages(inner._image_processor)
    return inner


class NoEmptyImages:
    """A processor for which an empty list of images is none at all."""

    def __init__(self, processor: Any) -> None:
        self._inside = processor

    def __call__(self, *args: Any, images: Any = None, **kwargs: Any) -> Any:
        return self._inside(*args, images=images or None, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)


def defaults_of(model: Any) -> dict[str, Any]:
    """The arguments of a model's class with the values that it fills in itself."""
    known = inspect.signature(type(model).__init__).parameters.values()
    return {one.name: one.default for one in known if one.default is not one.empty}


def visual(path: str) -> Callable[[Any], list[str]]:
    """What a simple model calls for its videos."""
    return lambda doc: [path]


def messages(path: str, context: str) -> Callable[[Any], list[dict[str, Any]]]:
    """What a chat model calls for its conversation."""
    content = [{"type": "video", "url": path}, {"type": "text", "text": context}]
    return lambda doc: [{"role": "user", "content": content}]
