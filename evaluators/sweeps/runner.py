"""Running a cell, and a sweep of them: nothing lost, nothing twice, whatever is killed.

A cell is a process of its own, `hlvid eval` in `sweep/cells/<what was asked>`, which journals every answer and holds
its folder: while it lives, even when the sweep that started it was killed, nobody else runs the cell; who comes later
waits for it and records what it left.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluators.runs.data import data_identity
from evaluators.runs.identity import Used, run_identity
from evaluators.sweeps import records
from evaluators.sweeps.cells import Cell
from evaluators.sweeps.grid import Grid
from hlvid.errors import HlvidError, RunError
from hlvid.files import locked, read_object

Launch = Callable[[Path, Sequence[Cell], "Options"], Iterator[tuple[Cell, str]]]
"""Runs cells somewhere with `run_cell`; gives each with its status as it ends."""

EVAL = (sys.executable, "-m", "hlvid.cli", "eval")


@dataclass(frozen=True)
class Options:
    """timeout: seconds a cell. retry: argument -> smaller values to try in turn when memory runs out. command: what
    runs a cell, `hlvid eval` unless a test says otherwise. environment: variables added for it. again: statuses to be
    had anew, of cells that ended before `since`."""

    timeout: float | None = None
    retry: dict[str, list[Any]] = field(default_factory=dict)
    command: Sequence[str] = EVAL
    environment: dict[str, str] = field(default_factory=dict)
    again: tuple[str, ...] = ()
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    def not_counting(self) -> records.Again:
        """Which records do not count."""
        return records.Again(self.timeout, self.again, self.since)


def sweep(
    grid: Grid, folder: Path, options: Options, launch: Launch, progress: bool = True
) -> dict[str, int]:
    """Run what is not done yet; how many cells ended in which status, those done before included.

    Raises RunError for a folder that cannot be used. A cell that fails takes no other with it.
    """
    from tqdm import tqdm

    _usable(folder)
    cells = grid.cells()
    make_ready(cell.task for cell in cells)
    known = records.done(folder, options.not_counting())
    missing = [cell for cell in cells if not _is_done(cell, known)]
    bar = tqdm(
        total=len(cells), initial=len(cells) - len(missing), desc="sweep", unit="cell", disable=not progress
    )
    with bar:
        for cell, status in launch(folder, missing, options):
            bar.update()
            if status != "ok":
                bar.write(f"{status}: {cell}", file=sys.stderr)
    wanted = {cell.identity() for cell in cells}
    last = records.latest(folder, by="identity")
    ended = [record["status"] for record in last if record["identity"] in wanted]
    return {status: ended.count(status) for status in dict.fromkeys(ended)}


def run_cell(folder: Path, cell: Cell, options: Options) -> str:
    """Run one cell unless it is done, and record how it ended; its status. Waits where another process runs it."""
    identity = cell.identity()
    home = folder / "cells" / cell.folder()
    home.mkdir(parents=True, exist_ok=True)
    with locked(home.with_suffix(".lock")):
        known = records.done(folder, options.not_counting())
        if _is_done(cell, known):
            return str(known[identity]["status"])
        results, retried = _attempts(cell, home, options)
        record = {
            **_about(cell, identity), "status": results["status"], "message": results.get("message", ""),
            "retried": retried, "results": results, "timeout": options.timeout, **_environment(home),
        }  # fmt: skip
        records.append(folder, record, options.not_counting())
    return str(results["status"])


def _is_done(cell: Cell, known: Mapping[str, records.Record]) -> bool:
    record = known.get(cell.identity())
    return record is not None and cell.still(record.get("results") or {})


def _attempts(cell: Cell, home: Path, options: Options) -> tuple[dict[str, Any], dict[str, Any]]:
    """The cell as asked; where memory ran out, again with the smaller values, each in a folder of its own."""
    results = _evaluate(cell, home / "run", options)
    for name, values in options.retry.items():
        for value in values:
            if results["status"] != "out_of_memory":
                break
            smaller = cell.with_argument(name, value)
            found = _evaluate(smaller, home / f"{name}-{value}", options)
            if found["status"] == "ok":
                return found, {name: value}
    return results, {}


def _evaluate(cell: Cell, out: Path, options: Options) -> dict[str, Any]:
    """One `hlvid eval`; what its results.json says, or an error with the last line of its log."""
    finished = _results(out)
    done = finished is not None and options.not_counting().is_done(finished)
    if finished and done and finished.get("identity") == run_identity(cell, Used.of(finished)):
        return finished  # ended after the sweep that had started it was killed
    try:
        spec = cell.spec()
    except RunError as error:  # an impossible cell; the others run
        return {"status": "error", "message": str(error)}
    argv = [*options.command, *spec.command(), "--out", str(out), "--no-report"]
    argv += ["--timeout", str(options.timeout)] if options.timeout else []
    argv += ["--again", ",".join(options.again)] if options.again else []
    log = out.with_suffix(".log")
    with log.open("ab") as sink:
        process = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False,
            env={**os.environ, **options.environment},
        )  # fmt: skip
    found = _results(out)
    if found:
        return found
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1][:300] if lines else "no output"
    return {"status": "error", "message": f"exit code {process.returncode}: {last}"}


def _results(out: Path) -> dict[str, Any] | None:
    found = read_object(out / "results.json")
    return found if "status" in found else None


def make_ready(tasks: Iterable[str]) -> None:
    """Have HLVid-Mini made before cells are told apart by their data; what is missing, the cells will tell."""
    for task in {name for names in tasks for name in names.split(",")}:
        with suppress(HlvidError):
            data_identity(task, make=True)


def _about(cell: Cell, identity: str) -> dict[str, Any]:
    return {
        "identity": identity,
        "place": cell.place(),
        "task": cell.task,
        "model": cell.model,
        "model_args": dict(cell.model_args),
        "labels": dict(cell.labels),
        "limit": cell.limit,
        "seed": cell.seed,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _environment(home: Path) -> dict[str, Any]:
    """Hardware as the run recorded it."""
    for path in sorted(home.glob("*/record.json")):
        environment = read_object(path).get("environment", {})
        gpus = [gpu.get("name") for gpu in environment.get("gpus") or []]
        return {"hardware": ", ".join(gpus) or environment.get("cpu"), "record": str(path)}
    return {"hardware": None}


def _usable(folder: Path) -> None:
    try:
        (folder / "cells").mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise RunError(
            f"sweep {folder}: cannot be written ({error.strerror}); choose another folder"
        ) from error
