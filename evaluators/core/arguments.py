"""How the arguments of a model are checked: a frozen pydantic dataclass, and one way to word what is wrong.

>>> from evaluators.models.openai.settings import ApiSettings
>>> read(ApiSettings, "openai_frames", {"model": "gpt-4o", "frames": 0, "resolution": 1344})
Traceback (most recent call last):
hlvid.errors.RunError: openai_frames: frames is 0; allowed: greater than or equal to 1
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError

from hlvid.errors import RunError

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)
"""True is no number and "3" is no 3: lmms-eval has read the text already, and YAML has types."""

COMMON = ("batch_size", "max_batch_size", "device", "runs")
"""What every model of ours takes; see `evaluators.core.base.JournalledModel`."""

Settings = TypeVar("Settings")


def take_common(arguments: dict[str, Any]) -> dict[str, Any]:
    """Those of `COMMON`, taken out of `arguments`."""
    return {name: arguments.pop(name) for name in COMMON if name in arguments}


def arguments_of(model: type, base: type) -> list[str]:
    """The names that constructors take from `model` up to `base`; lmms-eval gives the batch size itself."""
    names: dict[str, None] = {}
    for owner in model.__mro__:
        if issubclass(owner, base) and "__init__" in vars(owner):
            names |= dict.fromkeys(
                name
                for name, one in inspect.signature(owner.__init__).parameters.items()
                if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
            )
    return [name for name in names if name not in ("self", "batch_size", "max_batch_size")]


def one_of(model: str, name: str, value: object, allowed: Iterable[str]) -> None:
    """Raises RunError for a value that is not among those allowed, which only the running program knows."""
    names = tuple(allowed)
    if value not in names:
        raise RunError(f"{model}: {name} is {value!r}; allowed: {', '.join(names)}")


def check_selector(model: str, selector: str) -> None:
    """Raises RunError for a selector that is neither installed nor a class that can be imported."""
    from autogaze import selectors

    if not selectors.known(selector):
        one_of(model, "selector", selector, (*selectors.names(), "or package.module:Class"))


def refuse_unheeded(model: str, selector: str, name: str, value: object, reason: str) -> bool:
    """Whether the selector takes `name`. Raises RunError where it does not, and a value was given all the same."""
    from autogaze import selectors

    try:
        heeded = name in selectors.arguments(selector)
    except ValueError as error:
        raise RunError(f"{model}: {error}") from None
    if value is not None and not heeded:
        raise RunError(f"{model}: {name} is {value!r}; selector {selector!r} {reason}; leave it out")
    return heeded


def read(
    kind: type[Settings], model: str, given: Mapping[str, Any], example: str = "", beside: Sequence[str] = ()
) -> Settings:
    """`kind` from `--model_args`; None is left out.

    example: of the arguments, told where one is missing. beside: arguments that are read elsewhere.

    Raises:
        RunError: an argument is unknown, missing or not allowed; named, with its value and what is.
    """
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in names:
            raise RunError(f"{model}: unknown argument {name!r}; allowed: {', '.join((*names, *beside))}")
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise RunError(f"{model}: {_fault(error.errors()[0], example)}") from None


def _fault(found: Any, example: str) -> str:
    name, kind, message = ".".join(map(str, found["loc"])), found["type"], str(found["msg"])
    if kind in ("missing", "missing_argument"):
        return f"{name} is missing" + (f"; as in {example}" if example else "")
    message = message.removeprefix("Value error, ").replace("Input should be", "allowed:")
    return f"{name} is {found['input']!r}; {message}" if name else message
