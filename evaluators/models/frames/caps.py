"""Caps on pixels and frames that processors carry: lifted where we know how, and told either way.

A cap is a number beside the model that makes frames smaller without a word: qwen_vl_utils holds a video's
frames to 768 tokens each (3840 x 2160 becomes 1008 x 560, whatever max_pixels says) and all of them to
115 200; the video processors of transformers carry the same numbers. The first two are passed by with the
reader (`standins`), the others are lifted here. What is not known here shows in the audit.
"""

from collections.abc import Iterator
from typing import Any

from evaluators.models.frames.delivery import Delivery

_HOLDERS = ("processor", "_processor", "image_processor", "_image_processor", "video_processor")


def lift(inner: object, delivery: Delivery) -> dict[str, dict[str, Any]]:
    """Widen the caps that would change this delivery; returns what the caps of each processor are then."""
    height, width = delivery.size
    for processor in pixel_processors(inner):
        if hasattr(processor, "merge_size"):
            # Qwen2's processor compares a frame with its cap, Qwen3's the whole video.
            size = processor.size
            _set(processor, "longest_edge", max(size["longest_edge"], delivery.count * height * width))
            _set(processor, "shortest_edge", min(size["shortest_edge"], height * width))
            if getattr(processor, "cap_pixels_per_frame", False):
                processor.cap_pixels_per_frame = False
    return {type(one).__name__: _caps(one) for one in pixel_processors(inner)}


def pixel_processors(inner: object) -> Iterator[Any]:
    """The image and video processors that a model of lmms-eval holds, each once."""
    seen: set[int] = set()
    for name in _HOLDERS:
        holder = getattr(inner, name, None)
        for part in (
            holder,
            getattr(holder, "video_processor", None),
            getattr(holder, "image_processor", None),
        ):
            if part is not None and id(part) not in seen and getattr(part, "size", None) is not None:
                seen.add(id(part))
                yield part


def _set(processor: Any, edge: str, value: int) -> None:
    if isinstance(processor.size, dict):
        processor.size[edge] = value
    else:
        setattr(processor.size, edge, value)


def _caps(processor: Any) -> dict[str, Any]:
    size = dict(processor.size)
    per_frame = getattr(processor, "cap_pixels_per_frame", None)
    return {
        **{name: int(value) for name, value in size.items() if isinstance(value, int)},
        **({} if per_frame is None else {"cap_pixels_per_frame": bool(per_frame)}),
    }
