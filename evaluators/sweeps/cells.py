"""A cell of a sweep, and its identity: a hash of everything that could change its numbers.

Two cells of one identity are the same measurement, so a finished one is never run again; a changed one is, in the same
folder, where its journal answers what did not change.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Self

from evaluators.core.identity import hash_of
from evaluators.runs.identity import Surroundings, Used, looks_of, run_identity, surroundings
from evaluators.runs.spec import RunSpec


@dataclass(frozen=True)
class Cell:
    """task, model, model_args: what runs. labels: where it stands in the grid, by the grid's names."""

    task: str
    model: str
    model_args: Mapping[str, Any]
    labels: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    seed: int = 0

    def key(self) -> str:
        """What was asked, as JSON: equal for cells that a grid names twice."""
        asked = [self.task, self.model, dict(self.model_args), self.limit, self.seed]
        return json.dumps(asked, sort_keys=True)

    def folder(self) -> str:
        """A name for what was asked, the same whatever surrounds it: 16 hex digits."""
        return hash_of({"asked": self.key()})

    def identity(self) -> str:
        """16 hex digits over all that shapes the numbers (`evaluators.runs.identity`)."""
        return hash_of(run_identity(self, surroundings=_once))

    def still(self, results: Mapping[str, Any]) -> bool:
        """Whether what shaped a run's results would shape them now: also what only its model could tell, such as the
        checkpoint that it takes by default, or code that changed under a sweep that had looked at it before."""
        then = results.get("identity")
        return then is None or then == run_identity(self, Used.of(results), surroundings=_once)

    def place(self) -> str:
        """What was asked on which data: its line in the table, whatever code ran it. 16 hex digits."""
        return hash_of({"asked": self.key(), "data": _once(self.task, self.model, looks_of(self))["data"]})

    def spec(self) -> RunSpec:
        """What `hlvid eval` is to run. Raises RunError for values that its command line cannot carry."""
        return RunSpec(self.task, self.model, dict(self.model_args), self.limit, self.seed)

    def with_argument(self, name: str, value: Any) -> Self:
        """The same place in the grid, run with another value of one argument."""
        return replace(self, model_args={**self.model_args, name: value})

    def __str__(self) -> str:
        settings = " ".join(f"{name}={value}" for name, value in self.model_args.items())
        return f"{self.task} {self.model} {settings}".rstrip()


def _once(
    task: str, model: str, looks: tuple[str | None, int | None], sources: tuple[str, ...] = ()
) -> Surroundings:
    """Looked at once in a process, which runs all cells of a sweep with the same code and data."""
    variables = tuple(sorted(item for item in os.environ.items() if item[0].startswith("HLVID_")))
    return _remembered(task, model, looks, sources, variables)


@lru_cache(maxsize=256)
def _remembered(
    task: str, model: str, looks: tuple[str | None, int | None], sources: tuple[str, ...], _: tuple[Any, ...]
) -> Surroundings:
    return surroundings(task, model, looks, sources)
