"""Caps on pixels and frames that processors carry: lifted where we know how, and told either way.

Example::

    lift(inner, delivery)     # ["Qwen2VLVideoProcessor.size.longest_edge 602112 -> 115605504"]

A cap is a number beside the model that makes frames smaller without a word: qwen_vl_utils holds a video's
frames to 768 tokens each (3840 x 2160 becomes 1008 x 560, whatever max_pixels says) and all of them to
115 200; the video processors of transformers carry the same numbers. The first two are passed by with the
reader (`standins`), the others are lifted here. What is not known here shows in the audit.
"""

from collections.abc import Iterator
from typing import Any

from evaluators.models.frames.delivery import Delivery

BYPASSED = "qwen_vl_utils: VIDEO_MAX_TOKEN_NUM, total_pixels"
"""Caps that never apply, because `standins.fetch_video` stands where they are."""

_HOLDERS = ("processor", "_processor", "image_processor", "_image_processor", "video_processor")


def lift(inner: object, delivery: Delivery) -> list[str]:
    """Widen the caps that would change this delivery; returns what was changed, in words."""
    height, width = delivery.size
    done = []
    for processor in pixel_processors(inner):
        size = getattr(processor, "size", None)
        if not hasattr(processor, "merge_size") or size is None:
            continue
        # Qwen2's processor compares a frame with its cap, Qwen3's the whole video.
        done += _set(processor, "longest_edge", max(size["longest_edge"], delivery.count * height * width))
        done += _set(processor, "shortest_edge", min(size["shortest_edge"], height * width))
        if getattr(processor, "cap_pixels_per_frame", False):
            processor.cap_pixels_per_frame = False
            done.append(f"{type(processor).__name__}.cap_pixels_per_frame True -> False")
    return done


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


def _set(processor: Any, edge: str, value: int) -> list[str]:
    before = processor.size[edge]
    if before == value:
        return []
    setattr(processor.size, edge, value) if not isinstance(processor.size, dict) else processor.size.update(
        {edge: value}
    )
    return [f"{type(processor).__name__}.size.{edge} {before} -> {value}"]
