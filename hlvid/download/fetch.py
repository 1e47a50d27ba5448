"""`hlvid data prepare`: brings a benchmark's questions and the videos they ask about to this machine.

Example::

    prepare("videomme").summary()              # what is missing of it, wherever the rest lies
    prepare("hlvid_egoschema_subset")          # a task's name fetches that task's videos only

What the one rule of `hlvid.benchmarks.locate` finds already is not fetched again. Of the archives on the hub only
their directories are read, then the members that are needed, straight to their places; see
`hlvid.download.archives`. Run it again after any interruption: files under their final names are whole.
"""

import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from hlvid.benchmarks import locate as places
from hlvid.benchmarks import registry
from hlvid.benchmarks.registry import Benchmark
from hlvid.download.archives import Entry
from hlvid.download.catalogue import contents
from hlvid.download.hlvid import SPARE_BYTES, size_text
from hlvid.download.parallel import fetch_members
from hlvid.download.part_index import Member
from hlvid.download.parts import git_sha1_of, partial_of, trusted_length
from hlvid.download.remote import FolderSource, HubSource, Source
from hlvid.errors import DownloadError
from hlvid.files import locked
from hlvid.tasks.suite.prepare import Needed, needed

MAX_SHOWN = 5


@dataclass(frozen=True)
class Report:
    """What a preparation did; `missing` are needed videos that the repository does not hold."""

    benchmark: str
    root: Path
    repo: str
    videos: int
    fetched: int
    fetched_bytes: int
    missing: tuple[str, ...]

    def summary(self) -> str:
        """A line or two for the terminal."""
        lines = [
            f"{self.benchmark}: {self.videos - len(self.missing)} of {self.videos} videos are here; "
            f"{self.fetched} files ({size_text(self.fetched_bytes)}) came from {self.repo} to {self.root}"
        ]
        if self.missing:
            more = f" and {len(self.missing) - MAX_SHOWN} more" if len(self.missing) > MAX_SHOWN else ""
            lines.append(f"not in the repository: {', '.join(self.missing[:MAX_SHOWN])}{more}")
        return "\n".join(lines)


def prepare(
    name: str, source: Source | Path | None = None, workers: int = 4, progress: bool = True
) -> Report:
    """Fetch what is missing of a benchmark, or of one task.

    Args:
        name: of a benchmark or of a task of ours.
        source: a folder of the repository's layout instead of the hub, or any `Source`.
        workers: files fetched at the same time.
        progress: whether to show bars on stderr.

    Raises:
        DatasetError: an unknown name, or question files with wrong columns.
        DownloadError: the hub out of reach or closed to you, no space, an unsafe archive, a wrong checksum,
            another preparation running. What was fetched stays.
    """
    benchmark = registry.get(name)
    tasks = (name,) if name in benchmark.tasks else benchmark.tasks
    root = places.home(benchmark)
    root.mkdir(parents=True, exist_ok=True)
    with _only_one(root):
        origin = _origin(benchmark, source)
        count, total = _fetch_tables(origin, benchmark, tasks, root, progress)
        wants = [needed(task) for task in tasks]
        absent = _absent(benchmark, wants)
        missing: tuple[str, ...] = ()
        if absent.videos or absent.extras:
            entries, unpacked = contents(origin, benchmark, root, progress)
            chosen, missing = choose(absent, entries)
            total += _fetch(unpacked, chosen, entries, root, workers, progress)
            count += len(chosen)
        return Report(
            benchmark=name,
            root=root,
            repo=f"{benchmark.repo} ({benchmark.revision})",
            videos=len({video for want in wants for video in want.videos}),
            fetched=count,
            fetched_bytes=total,
            missing=missing,
        )


def choose(absent: Needed, entries: Mapping[str, Entry]) -> tuple[list[Member], tuple[str, ...]]:
    """The members to fetch, named by where they belong, and the videos that are nowhere.

    A video is looked for in each of its places, then by its file name alone where just one entry has it:
    repositories have moved their folders before.
    """
    by_name: dict[str, list[str]] = {}
    for path in entries:
        by_name.setdefault(PurePosixPath(path).name, []).append(path)
    members, missing = [], []
    for group in absent.videos:
        found = next(((place, place) for place in group if place in entries), None)
        alike = by_name.get(PurePosixPath(group[0]).name, [])
        if found is None and len(alike) == 1:
            found = (group[0], alike[0])
        if found is None:
            missing.append(group[0])
            continue
        members.append(Member(found[0], found[1], 0, entries[found[1]].size))
    members += [Member(extra, extra, 0, entries[extra].size) for extra in absent.extras if extra in entries]
    return members, tuple(missing)


def _fetch(
    source: Source,
    members: Sequence[Member],
    entries: Mapping[str, Entry],
    root: Path,
    workers: int,
    progress: bool,
) -> int:
    """Bring members to their places, each checked against what the repository states; returns the bytes."""
    _check_space(root, members)

    def check(member: Member, sha256: str) -> None:
        entry, path = entries[member.part], root / member.name
        wrong = entry.sha256 not in (None, sha256) or entry.crc not in (None, _crc_of(path))
        if wrong:
            path.unlink()
            raise DownloadError(f"{path}: came with another checksum than {entry.archive} states; run again")

    return _bring(source, members, root, workers, progress, check)


def _bring(
    source: Source,
    members: Sequence[Member],
    root: Path,
    workers: int,
    progress: bool,
    check: Callable[[Member, str], None],
) -> int:
    """Fetch members and leave no empty folders of partial files; returns the bytes that came."""
    total = fetch_members(source, root, members, workers, progress, on_done=check)
    for folder in {partial_of(root / member.name).parent for member in members}:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return total


def _check_space(root: Path, members: Sequence[Member]) -> None:
    """Raise DownloadError before the first byte if the disk cannot take what is left."""
    left = sum(one.size - trusted_length(root / one.name, one.size) for one in members)
    free = shutil.disk_usage(root).free
    if left + SPARE_BYTES > free:
        raise DownloadError(
            f"{root}: {size_text(left)} to fetch, {size_text(free)} free; free some, set HLVID_DATA to another "
            "disk, or prepare one task instead of a benchmark"
        )


def _fetch_tables(
    origin: Source, benchmark: Benchmark, tasks: Sequence[str], root: Path, progress: bool
) -> tuple[int, int]:
    """Bring the question files of those tasks that have none here; returns (files, bytes)."""
    lacking = [task for task in tasks if not places.tables(benchmark, task)]
    patterns = dict.fromkeys(pattern for task in lacking for pattern in benchmark.tables[task])
    if not patterns:
        return 0, 0
    files = {file.path: file for file in origin.files()}
    chosen = {pattern: [path for path in files if fnmatch(path, pattern)] for pattern in patterns}
    for pattern, found in chosen.items():
        if not found:
            raise DownloadError(f"{benchmark.repo}: no {pattern} at revision {benchmark.revision}")
    members = [Member(path, path, 0, files[path].size) for found in chosen.values() for path in found]

    def check(member: Member, sha256: str) -> None:
        file, path = files[member.part], root / member.name
        if file.sha256 not in (None, sha256) or file.git_sha1 not in (None, git_sha1_of(path)):
            path.unlink()
            raise DownloadError(f"{path}: came with another hash than {benchmark.repo} states; run again")

    return len(members), _bring(origin, members, root, 1, progress, check)


def _absent(benchmark: Benchmark, wants: Sequence[Needed]) -> Needed:
    """What of it the rule finds nowhere on this machine."""
    videos = dict.fromkeys(video for want in wants for video in want.videos)
    extras = dict.fromkeys(extra for want in wants for extra in want.extras)
    return Needed(
        tuple(video for video in videos if places.find(benchmark, video) is None),
        tuple(extra for extra in extras if places.find(benchmark, [extra]) is None),
    )


def _origin(benchmark: Benchmark, source: Source | Path | None) -> Source:
    if isinstance(source, Path):
        return FolderSource(source)
    return source or HubSource(benchmark.repo, benchmark.revision)


def _crc_of(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while data := file.read(4 * 1024**2):
            crc = zlib.crc32(data, crc)
    return crc


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Two preparations of one folder would write the same partial files. The lock dies with its process."""
    busy = DownloadError(f"{root}: another preparation is running into this folder")
    with locked(root / ".hlvid-data.lock", busy):
        yield
