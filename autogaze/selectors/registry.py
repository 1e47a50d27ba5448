"""Selectors by name, imported when asked for.

Example::

    get("random", seed=3).select(clips, ratio=0.25)
"""

import importlib
import inspect
from typing import Any

from autogaze.selectors.base import Selector

SELECTORS = {
    "autogaze": "autogaze.selectors.autogaze:AutoGazeSelector",
    "centre": "autogaze.selectors.centre:Centre",
    "coarse_first": "autogaze.selectors.coarse_first:CoarseFirst",
    "detail": "autogaze.selectors.detail:Detail",
    "everything": "autogaze.selectors.everything:Everything",
    "greedy": "autogaze.selectors.greedy:Greedy",
    "optical_flow": "autogaze.selectors.optical_flow:OpticalFlow",
    "random": "autogaze.selectors.random:Random",
    "rgb_diff": "autogaze.selectors.rgb_diff:RgbDiff",
}
"""name -> "module:class"; a new selector is one line here."""


def names() -> tuple[str, ...]:
    """Every selector's name, sorted."""
    return tuple(sorted(SELECTORS))


def get(name: str, **settings: Any) -> Selector:
    """The selector `name`, made with `settings` (its own arguments).

    Raises ValueError for an unknown name, an argument it does not have or a value it does not allow.
    """
    if name not in SELECTORS:
        raise ValueError(f"selector: {name!r} is unknown; allowed: {', '.join(names())}")
    module, _, attribute = SELECTORS[name].partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    allowed = tuple(inspect.signature(kind).parameters)
    for argument in settings:
        if argument not in allowed:
            raise ValueError(
                f"selector {name!r}: no argument {argument!r}; allowed: {', '.join(allowed) or 'none'}"
            )
    selector: Selector = kind(**settings)
    return selector
