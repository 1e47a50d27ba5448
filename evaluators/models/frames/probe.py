"""A probe in an inner model: notes what enters generate(), ends what its context cannot hold, keeps lost errors."""

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


class TooLongError(Exception):
    """A prompt has more tokens than positions that the model was made for; what it said then would be noise."""

    def __init__(self, tokens: int, context: int) -> None:
        super().__init__(f"{tokens} tokens exceed the model's context of {context}")
        self.tokens, self.context = tokens, context


@dataclass
class Probe:
    """What was noted of one question: `seen` of the last call that pixels entered, and the first error.

    context: tokens that the model takes, None where it does not say.
    """

    processor: Any
    context: int | None = None
    seen: Seen | None = None
    tokens_in: int | None = None
    error: BaseException | None = None

    def note(self, inputs: dict[str, Any]) -> None:
        """Look at the arguments of one call."""
        seen = measure(inputs, self.processor)
        self.seen = seen or self.seen
        ids = inputs.get("input_ids")
        if ids is not None and hasattr(ids, "shape"):
            self.count(int(ids.shape[-1]))

    def count(self, tokens: int) -> None:
        """A prompt, as it is read or within the model; its longest form counts. Raises TooLongError."""
        self.tokens_in = max(tokens, self.tokens_in or 0)
        if self.context is not None and tokens > self.context:
            raise TooLongError(tokens, self.context)

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method, with its arguments noted and its error kept."""
        names = [*PIXELS, *GRIDS, "inputs", "input_ids"]

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                self.note({**_named(method, args, names), **kwargs})
                return method(*args, **kwargs)
            except Exception as error:
                self.error = self.error or error
                raise

        return call


@contextmanager
def probing(inner: Any) -> Iterator[Probe]:
    """Watch the model inside an lmms-eval model while in here."""
    model = inner.model if hasattr(inner, "model") else getattr(inner, "_model", None)
    language = language_model(model)
    probe = Probe(_grid_processor(inner), context_of(language))
    with ExitStack() as stack:
        if language is not None:
            hook = language.layers[0].register_forward_pre_hook(
                lambda _, args, kwargs: probe.count((args[0] if args else kwargs["hidden_states"]).shape[-2]),
                with_kwargs=True,
            )
            stack.callback(hook.remove)
        for name in METHODS:
            if callable(getattr(model, name, None)):
                stack.enter_context(patch.object(model, name, probe.around(getattr(model, name))))
        yield probe


def language_model(model: Any) -> Any:
    """The part of a model that reads tokens: its first module with embeddings of tokens and layers."""
    modules = getattr(model, "modules", tuple)
    return next((one for one in modules() if hasattr(one, "embed_tokens") and hasattr(one, "layers")), None)


def context_of(language: Any) -> int | None:
    """Tokens that a language model was made for, stretched positions included (`rope_parameters`)."""
    config = getattr(language, "config", None)
    most = getattr(config, "max_position_embeddings", None)
    if not isinstance(most, int):
        return None
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    factor, trained = rope.get("factor") or 1, rope.get("original_max_position_embeddings") or most
    return max(most, int(trained * factor))


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
