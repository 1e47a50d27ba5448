"""Selectors: who decides which patches are looked at. One protocol, many choices."""

from autogaze.selectors.base import Selector, by_pixels, look, needs_of
from autogaze.selectors.context import Context
from autogaze.selectors.registry import LEARNED, arguments, foreign, get, kind_of, known, names, weights_of

__all__ = [
    "LEARNED",
    "Context",
    "Selector",
    "arguments",
    "by_pixels",
    "foreign",
    "get",
    "kind_of",
    "known",
    "look",
    "names",
    "needs_of",
    "weights_of",
]
