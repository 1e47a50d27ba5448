"""Defects of lmms-eval's own models that keep them from taking a video, mended around them."""

from typing import Any


class NoEmptyImages:
    """A processor for which an empty list of images is none at all."""

    def __init__(self, processor: Any) -> None:
        self._inside = processor

    def __call__(self, *args: Any, images: Any = None, **kwargs: Any) -> Any:
        return self._inside(*args, images=images or None, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)


def mended(name: str, inner: Any) -> Any:
    """The model itself, with what is known to be wrong in it put right."""
    # lmms_eval.models.chat.llava_hf 0.7.3 sets videos to None when there are none, but not images.
    if name == "llava_hf" and not inner.is_simple:
        inner._image_processor = NoEmptyImages(inner._image_processor)
    return inner
