"""`hlvid data status`: what of a benchmark is on this machine, what is missing, how big; without the network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hlvid.benchmarks import locate, registry
from hlvid.benchmarks.needed import needed
from hlvid.download.report import size_text
from hlvid.errors import DatasetError
from hlvid.video.health import unsound

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Status:
    """One task's data. Without its question files (`questions` is 0) nobody knows what videos it needs.

    Attributes:
        folder: where the question files lie; None for nowhere.
        videos, here: how many it needs, and how many of them are found.
        missing: where the others belong.
        broken: "PATH what" for those that were looked into and are not whole.
        fault: why the question files cannot be read, or None.
    """

    task: str
    benchmark: registry.Benchmark
    folder: Path | None = None
    questions: int = 0
    videos: int = 0
    here: int = 0
    bytes_here: int = 0
    missing: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    fault: str | None = None

    @property
    def ready(self) -> bool:
        """Whether a run would start."""
        return self.questions > 0 and not self.missing and not self.broken

    def state(self) -> str:
        """In a few words."""
        if self.fault:
            return self.fault.splitlines()[0]
        if self.broken:
            return f"{len(self.broken)} broken: delete them and prepare again"
        if self.ready:
            return "ready"
        if self.questions:
            return f"{len(self.missing)} missing"
        gate = "; accept its terms on the hub first" if self.benchmark.gated else ""
        return f"not here{gate}"


def status(name: str | None = None, deep: bool = False) -> list[Status]:
    """The state of every task, of one benchmark's tasks, or of one task.

    Args:
        name: of a benchmark or a task; None for all.
        deep: open every video instead of only looking for it.

    Raises:
        DatasetError: an unknown name.
    """
    if name is None:
        return [_status(task, one, deep) for one in registry.BENCHMARKS for task in one.tasks]
    benchmark = registry.get(name)
    tasks = (name,) if name in benchmark.tasks else benchmark.tasks
    return [_status(task, benchmark, deep) for task in tasks]


def table(found: Sequence[Status]) -> "Table":
    """One row a task, for the terminal."""
    from rich.table import Table

    shown = Table(box=None)
    shown.add_column("task", no_wrap=True)
    for column in ("questions", "videos", "here", "all"):
        shown.add_column(column, justify="right")
    shown.add_column("")
    for one in found:
        gigabytes = one.benchmark.gigabytes
        shown.add_row(
            one.task,
            str(one.questions or "-"),
            f"{one.here} of {one.videos}" if one.questions else "-",
            size_text(one.bytes_here) if one.here else "-",
            f"{gigabytes:g} GB" if gigabytes else "?",
            one.state(),
        )
    return shown


def _status(task: str, benchmark: registry.Benchmark, deep: bool) -> Status:
    blank = Status(task, benchmark)
    tables = locate.tables(benchmark, task)
    if not tables:
        return blank
    try:
        want = needed(task, tables)
    except DatasetError as error:
        return replace(blank, folder=tables[0].parent, fault=str(error))
    folders = locate.folders(benchmark)
    found = {one.places: locate.first(folders, one.places) for one in want.videos}
    here = [path for path in found.values() if path is not None]
    return replace(
        blank,
        folder=tables[0].parent,
        questions=want.questions,
        videos=len(found),
        here=len(here),
        bytes_here=sum(path.stat().st_size for path in here),
        missing=tuple(video[0] for video, path in found.items() if path is None),
        broken=tuple(f"{path} {one.fault}" for path, one in unsound(here, again=True).items())
        if deep
        else (),
    )
