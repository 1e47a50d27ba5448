"""`hlvid verify`: has every question its video, and does every video open and decode? One table, one list of
faults.

Everything is looked at before anything is reported: one missing file does not hide the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from hlvid.dataset import Question, load, locate
from hlvid.download.catalogue import Fetched, fetched
from hlvid.download.report import size_text
from hlvid.download.transfer import sums_of
from hlvid.video.frame_index import FrameIndex
from hlvid.video.health import WORDS, Depth, examine

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class VideoCheck:
    """One video with the ids of its questions: `index` if it opened, `problem` if anything is wrong."""

    video: str
    path: Path | None
    questions: tuple[str, ...]
    index: FrameIndex | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Report:
    """All checks, in the order in which the questions name the videos."""

    checks: tuple[VideoCheck, ...]
    depth: Depth

    @property
    def broken(self) -> tuple[VideoCheck, ...]:
        """The checks that found something wrong."""
        return tuple(check for check in self.checks if check.problem)

    @property
    def ok(self) -> bool:
        """Whether there is at least one video and nothing is wrong with any."""
        return bool(self.checks) and not self.broken

    def summary(self) -> str:
        """ "77 videos, 268 questions: all well", or one line for every fault."""
        questions = sum(len(check.questions) for check in self.checks)
        head = f"{len(self.checks)} videos, {questions} questions"
        if self.ok:
            return f"{head}: all {WORDS[self.depth]} (depth: {self.depth})"
        lines = [f"{c.video} (question {_some(c.questions)}): {c.problem}" for c in self.broken]
        return "\n  ".join([f"{head}: {len(self.broken)} videos broken (depth: {self.depth})", *lines])

    def table(self) -> "Table":
        """One row a video, for a terminal of 80 columns; `summary` says what is wrong with the broken ones."""
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
        table.add_column("video", overflow="fold")  # a name that is cut short would name no file
        for column in ("size", "frames", "fps", "s", "codec", "bytes"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("")
        for check in self.checks:
            state = "[red]broken[/red]" if check.problem else "[green]ok[/green]"
            table.add_row(escape(check.video), *_cells(check), state)
        return table


def verify(
    source: str | Path | Sequence[Question],
    depth: Depth = "full",
    hashes: bool = False,
    progress: bool = True,
) -> Report:
    """Check every video that the questions of `source` need.

    Args:
        source: anything `hlvid.dataset.load` takes, or questions that carry a `video_path`.
        depth: how closely each video is looked at (`hlvid.video.health`): "quick", "full" (all packets) or "deep"
            (all frames; minutes for each 5-minute 4K video).
        hashes: compare each video's sha256 with the one noted when it was downloaded.
        progress: whether to show a bar on stderr.

    Raises:
        DatasetError: the question file itself cannot be loaded. Broken videos do not raise: see
        `Report.broken`.
    """
    questions, noted = _open(source)
    by_video: dict[tuple[str, Path | None], list[str]] = {}
    for question in questions:
        by_video.setdefault((question.video, question.video_path), []).append(question.id)
    checks = [
        _check(video, path, tuple(ids), depth, noted, hashes)
        for (video, path), ids in tqdm(by_video.items(), desc="verify", unit="video", disable=not progress)
    ]
    return Report(tuple(checks), depth)


def _open(source: str | Path | Sequence[Question]) -> tuple[Sequence[Question], dict[Path, Fetched]]:
    """The questions, and what is noted of their download where there was one."""
    if not isinstance(source, str | Path):
        return source, {}
    root = locate(source).root
    return load(source), {root / name: one for name, one in fetched(root).items()}


def _check(
    video: str,
    path: Path | None,
    ids: tuple[str, ...],
    depth: Depth,
    noted: Mapping[Path, Fetched],
    hashes: bool,
) -> VideoCheck:
    if path is None or not path.is_file():
        where = f"under {path.parent}" if path else "(no path)"
        return VideoCheck(video, path, ids, None, f"not found {where}; run 'hlvid download --videos {video}'")
    health = examine(path, depth)
    return VideoCheck(video, path, ids, health.index, health.fault or _differs(path, noted, hashes))


def _differs(path: Path, noted: Mapping[Path, Fetched], hashes: bool) -> str | None:
    """How the file differs from what was downloaded; None where it does not, or was not downloaded by us."""
    record = noted.get(path)
    if record is None:
        return None
    remedy = "remove it and run 'hlvid download' again"
    size = path.stat().st_size
    if size != record.size:
        return f"{size} bytes, but {record.size} were downloaded; {remedy}"
    if hashes and sums_of(path).sha256 != record.sha256:
        return f"sha256 is not that of the file downloaded; {remedy}"
    return None


def _cells(check: VideoCheck) -> list[str]:
    index = check.index
    if index is None or check.path is None:
        return ["-"] * 6
    height, width = index.shape.shown
    size = size_text(check.path.stat().st_size)
    return [
        f"{width}x{height}",
        f"{index.count:,}",
        f"{index.fps:.4g}",
        f"{index.duration:.1f}",
        index.codec,
        size,
    ]


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
