"""The paper's own numbers, each with how exact it is: printed in the paper, or read off a figure by eye.

>>> entry("table3_training_stages")["rows"]["NTP only"], mark(precision("fig9_scaling"))
(0.102, 'paper, read off the figure (about 3 %)')

Source: arXiv 2603.12254v1; `analysis/data/paper.json` lists every value. Nothing here is a result of ours.
"""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

OURS, PAPER = "ours", "paper"
MARKS = {
    "printed": "paper, printed",
    "read": "paper, read off the figure (about 3 %)",
    "measured": "measured here",
}


@lru_cache(maxsize=1)
def _all() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files("analysis").joinpath("data/paper.json").read_text("utf-8"))
    return content


def entry(name: str) -> dict[str, Any]:
    """One table or figure of the paper, by its key in `paper.json`.

    Raises KeyError naming the keys there are.
    """
    if name not in _all():
        raise KeyError(f"no entry {name!r} in paper.json; there are: {', '.join(_all())}")
    found: dict[str, Any] = _all()[name]
    return found


def precision(name: str, value: float | None = None) -> str:
    """ "printed" or "read"; with `value`, also for the one entry that mixes the two (Figure 7)."""
    found = entry(name)
    if value is not None and value in found.get("printed_values", ()):
        return "printed"
    return str(found["precision"])


def mark(kind: str) -> str:
    """The words that stand beside a number in legends, tables and captions."""
    return MARKS[kind]


def row(kind: str, series: object, **values: Any) -> dict[str, Any]:
    """One line of a figure's CSV: whose number it is, how exact, and the number itself."""
    return {
        "whose": OURS if kind == "measured" else PAPER,
        "precision": kind,
        "series": str(series),
        **values,
    }
