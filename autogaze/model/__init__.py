"""AutoGaze itself: configuration, networks, decoding, streaming, processing, checkpoints."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`AutoGaze`, imported when asked for: the configuration alone needs neither torch nor transformers."""
    if name == "AutoGaze":
        from autogaze.model.autogaze import AutoGaze

        return AutoGaze
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
