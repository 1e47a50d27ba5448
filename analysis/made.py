"""`Made`: what every figure module gives back; and what it says when it cannot.

Example::

    def make(inputs: Inputs) -> Made:
        numbers = measure(inputs)                                   # a tidy table, cached
        return Made(numbers, "What was run, on what, n.", lambda: plot(numbers))

A module that needs records of runs that nobody has made raises `MissingRecordsError` with the command that makes
them; the figure is then listed and not drawn. The paper's values alone never pass as a result of ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hlvid.errors import HlvidError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class MissingRecordsError(HlvidError):
    """A figure needs data that is not here; `command` makes it."""

    def __init__(self, what: str, command: str) -> None:
        super().__init__(f"{what}; make it with: {command}")
        self.what, self.command = what, command


@dataclass(frozen=True)
class Made:
    """A figure or table, ready to be written.

    numbers: every number that is drawn, tidy; columns `whose` ("ours", "paper") and `precision` ("measured",
        "printed", "read") tell our results from the paper's.
    caption: what was run, on what, with n and how the intervals were made.
    draw: makes the picture; called with the house style switched on.
    texts: further files by suffix, for example {".md": "...", ".tex": "..."}.
    missing: what a part of the figure still needs, as a `MissingRecordsError`; None where all of it is there.
    """

    numbers: "pd.DataFrame"
    caption: str
    draw: Callable[[], "Figure"]
    texts: Mapping[str, str] = field(default_factory=dict)
    missing: MissingRecordsError | None = None
