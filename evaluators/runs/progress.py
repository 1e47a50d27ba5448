"""How far a run is and how long it will take, read off its journal: the model runs in another process.

Time left is told once two answers of this start are there. Questions of one video share its decoding, so the
estimate is a mean, and the first few are pessimistic.
"""

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from evaluators.runs.files import JOURNAL
from evaluators.runs.identity import asked_of
from hlvid.files import Lines

EVERY = 60.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """Answers so far; `total` is None where the number of questions is not known beforehand."""

    def __init__(self, folder: Path, total: int | None, console: Console | None = None) -> None:
        self.folder, self.total = folder / JOURNAL, total
        self._journals: dict[Path, Lines] = {}
        self._answered: set[str] = set()
        self.console = console or Console(stderr=True)
        self.kept: int | None = None
        self._started = self._told = time.monotonic()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Left(self),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("answers", total=total, completed=self.done())

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def done(self) -> int:
        """How much of what is asked stands in the journals in use; 0 until a model says what it is asked.

        Each journal is read on from where it was read to.
        """
        journals, keys, _ = asked_of(self.folder)
        for path in journals:
            lines = self._journals.setdefault(path, Lines(path)).read()
            self._answered.update(line["key"] for _, line in lines if line and "of" in line)
        done = len(keys & self._answered)
        if self.kept is None and keys:
            self.kept, self._started = done, time.monotonic()
        return done

    def show(self) -> None:
        """Bring the bar up to date, or print a line if a minute has passed."""
        done = self.done()
        self._bar.update(self._task, completed=done)
        if not self.console.is_terminal and time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            total = "?" if self.total is None else self.total
            self.console.print(f"{done} of {total} answers; {self.left(done)}", highlight=False)

    def left(self, done: int) -> str:
        """In words: "3 min left", or what is known instead."""
        passed, fresh = time.monotonic() - self._started, done - (self.kept or 0)
        if fresh < 2 or self.total is None:
            return f"{duration(passed)} so far"
        return f"{duration(passed / fresh * max(0, self.total - done))} left"


class _Left(TextColumn):
    """The bar's last column."""

    def __init__(self, progress: Progress) -> None:
        super().__init__("")
        self._progress = progress

    def render(self, task: Task) -> Text:
        return Text(self._progress.left(int(task.completed)))


def duration(seconds: float) -> str:
    """Rounded for people: "8 s", "12 min", "3 h 05 min"."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
