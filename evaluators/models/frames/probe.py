"""A probe in an inner model: notes what enters generate(), and keeps the error that the model swallows.

Example::

    with probing(inner) as probe:
        inner.generate_until([request])
    probe.seen        # Seen(frames=64, height=1008, width=1792, by="video_grid_thw")
    probe.error       # an exception that lmms-eval would have turned into an empty answer, or None
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from evaluators.models.frames.caps import pixel_processors
from evaluators.models.frames.seen import GRIDS, PIXELS, Seen, measure

METHODS = ("generate", "chat")
"""What models are asked through: transformers' generate, and the chat of InternVL's and others' own code."""


@dataclass
class Probe:
    """What was noted of one question: `seen` of the last call that pixels entered, and the first error."""

    processor: Any
    seen: Seen | None = None
    tokens_in: int | None = None
    error: BaseException | None = None

    def note(self, inputs: dict[str, Any]) -> None:
        """Look at the arguments of one call."""
        seen = measure(inputs, self.processor)
        self.seen = seen or self.seen
        ids = inputs.get("input_ids")
        if ids is not None and hasattr(ids, "shape"):
            self.tokens_in = int(ids.shape[-1])

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method, with its arguments noted and its error kept."""
        names = [*PIXELS, *GRIDS, "inputs", "input_ids"]

        def call(*args: Any, **kwargs: Any) -> Any:
            self.note({**_named(method, args, names), **kwargs})
            try:
                return method(*args, **kwargs)
            except Exception as error:
                self.error = self.error or error
                raise

        return call


@contextmanager
def probing(inner: Any) -> Iterator[Probe]:
    """Watch the model inside an lmms-eval model while in here."""
    model = inner.model if hasattr(inner, "model") else getattr(inner, "_model", None)
    probe = Probe(_grid_processor(inner))
    with ExitStack() as stack:
        for name in METHODS:
            if callable(getattr(model, name, None)):
                stack.enter_context(patch.object(model, name, probe.around(getattr(model, name))))
        yield probe


def _named(method: Callable[..., Any], args: tuple[Any, ...], names: list[str]) -> dict[str, Any]:
    """Positional arguments by their names, as far as the signature tells."""
    if not args:
        return {}
    parameters = list(inspect.signature(method).parameters)
    return {name: value for name, value in zip(parameters, args, strict=False) if name in names}


def _grid_processor(inner: Any) -> Any:
    """The processor that knows the patch size of videos, else the one of images."""
    known = [one for one in pixel_processors(inner) if hasattr(one, "patch_size")]
    videos = [one for one in known if hasattr(one, "temporal_patch_size")]
    return next(iter(videos or known), None)
