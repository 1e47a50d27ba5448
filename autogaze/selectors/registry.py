"""Selectors by name, imported when asked for: ours, other packages' and a user's own.

>>> import torch
>>> get("random", seed=3).select(torch.zeros(1, 2, 3, 224, 224), ratio=0.25).per_frame      # of 265 a frame
(66, 66)
"""

import importlib
import inspect
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from autogaze.selectors.base import Selector

SELECTORS = {
    "autogaze": "autogaze.selectors.autogaze:AutoGazeSelector",
    "centre": "autogaze.selectors.centre:Centre",
    "codec": "autogaze.selectors.codec:Codec",
    "coarse_first": "autogaze.selectors.coarse_first:CoarseFirst",
    "detail": "autogaze.selectors.detail:Detail",
    "everything": "autogaze.selectors.everything:Everything",
    "greedy": "autogaze.selectors.greedy:Greedy",
    "optical_flow": "autogaze.selectors.optical_flow:OpticalFlow",
    "question": "autogaze.selectors.question:Question",
    "random": "autogaze.selectors.random:Random",
    "reads": "autogaze.selectors.reads:Reads",
    "rgb_diff": "autogaze.selectors.rgb_diff:RgbDiff",
    "text": "autogaze.selectors.text:Text",
    "text_error": "autogaze.selectors.text_error:TextError",
    "text_lines": "autogaze.selectors.text:TextLines",
}
"""name -> "module:class"; a new selector of ours is one line here."""
LEARNED = ("autogaze", "reads")
"""Those of ours that have weights: they take `checkpoint` and `device`, and say where they are from in `source`."""
GROUP = "autogaze.selectors"
"""The entry-point group of other packages' selectors."""


@lru_cache(maxsize=1)
def places() -> dict[str, str]:
    """name -> "module:class" of all installed selectors; ours keep their names."""
    return {point.name: point.value for point in entry_points(group=GROUP)} | SELECTORS


def names() -> tuple[str, ...]:
    """Every installed selector's name, sorted."""
    return tuple(sorted(places()))


def known(name: object) -> bool:
    """Whether `get` would look for it: an installed name, or "module:Class"."""
    return isinstance(name, str) and (name in places() or ":" in name)


def get(name: str, **settings: Any) -> Selector:
    """The selector `name`, made with `settings` (its own arguments).

    Raises ValueError for an unknown name, an argument it does not have or a value it does not allow.
    """
    kind, allowed = kind_of(name), arguments(name)
    for argument in settings:
        if argument not in allowed:
            raise ValueError(
                f"selector {name!r}: no argument {argument!r}; allowed: {', '.join(allowed) or 'none'}"
            )
    selector: Selector = kind(**settings)
    return selector


def foreign(name: str) -> str | None:
    """The module of a selector that is not ours, whose code shapes what it answers; None for ours.

    Raises ValueError as `get`.
    """
    return None if name in SELECTORS else str(kind_of(name).__module__)


def weights_of(selector: Selector) -> tuple[str, str | None] | None:
    """Folder or hub id, and revision, of the weights of one of `LEARNED`; None for others."""
    if selector.name not in LEARNED:
        return None
    return str(selector.source), getattr(selector, "revision", None)  # type: ignore[attr-defined]


def arguments(name: str) -> tuple[str, ...]:
    """The names of the arguments that a selector is made with. Raises ValueError as `get`."""
    return tuple(inspect.signature(kind_of(name)).parameters)


def kind_of(name: str) -> Any:
    """The class of that name."""
    place = places().get(name, name)
    module, mark, attribute = place.partition(":")
    if not mark:
        raise ValueError(
            f"selector: {name!r} is unknown; allowed: {', '.join(names())}, or package.module:Class"
        )
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"selector {name!r}: {place} cannot be imported ({error}); install its package, "
            "or put its folder on PYTHONPATH"
        ) from error
