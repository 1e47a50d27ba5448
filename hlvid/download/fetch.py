"""Brings a benchmark to this machine, whole or in part: `hlvid download` for HLVid, `hlvid data prepare` for all.

Example::

    get("hlvid", videos=["clip_av_video_5_001"]).summary()      # 2 GB instead of 152
    get("videomme").summary()                                   # what is missing of it, wherever the rest lies
    get("hlvid_egoschema_subset")                               # a task's name fetches that task's videos only

What the one rule of `hlvid.benchmarks.locate` finds already is not fetched again. Of the archives on the hub only
their directories are read, then the members that are needed, each straight to its place. Run it again after any
interruption: files under their final names are whole. A folder holds one commit: the first run notes it, later
runs go on with it.
"""

import hashlib
import json
import shutil
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import cached_property, partial
from http.client import HTTPException
from pathlib import Path

from hlvid.benchmarks import locate as places
from hlvid.benchmarks import registry
from hlvid.benchmarks.needed import Wanted, needed
from hlvid.benchmarks.registry import Benchmark
from hlvid.download.archives import Archive, Entry, archives_of, open_entry
from hlvid.download.catalogue import Catalogue, Fetched, fetched, note, read_archives, read_catalogue
from hlvid.download.choose import choose, select
from hlvid.download.remote import FolderRemote, HubRemote, Remote, RemoteFile
from hlvid.download.report import Report, notes_of, size_text
from hlvid.download.transfer import Job, Sums, fetch_all, git_sha1_of, sums_of, tidy, trusted_length
from hlvid.download.verify_archives import due, verify_archives
from hlvid.errors import DownloadError
from hlvid.files import locked, whole

SPARE_BYTES = 256 * 1024**2  # left free on the disk, for whatever else writes to it


def get(
    name: str,
    source: Remote | Path | None = None,
    out: Path | None = None,
    revision: str | None = None,
    videos: Iterable[str] | None = None,
    questions: Iterable[str] | None = None,
    category: str | None = None,
    workers: int = 4,
    progress: bool = True,
    no_videos: bool = False,
) -> Report:
    """Fetch what is missing of a benchmark, or of one task.

    Args:
        name: of a benchmark or of a task of ours.
        source: a folder of the repository's layout instead of the hub, or any `Remote`. $HF_ENDPOINT names a mirror.
        out: the folder to fill; by default the benchmark's below the first data root that can be written.
        revision: of the hub; by default what the folder holds already, else the one in the table of benchmarks.
        videos: file names, with or without suffix; questions: ids. Both add up, `category` narrows the choice;
            none of the three: everything.
        workers: files fetched at the same time.
        progress: whether to show bars on stderr.
        no_videos: only the question files and what names the recordings: enough to score answers.

    Raises:
        DatasetError: an unknown name, or question files with wrong columns.
        DownloadError: the hub out of reach or closed to you, no space, an unsafe archive, a wrong checksum, an
            unknown video or question, other questions than the folder's, another download running. What was
            fetched stays.
    """
    benchmark = registry.get(name)
    tasks = (name,) if name in benchmark.tasks else benchmark.tasks
    root = out or places.home(benchmark)
    root.mkdir(parents=True, exist_ok=True)
    with _only_one(root):
        download = _Download(benchmark, root, out is not None, source, revision, workers, progress)
        download.bring_tables(tasks)
        wants = [needed(task, download.tables(task)) for task in tasks]
        wanted = list({one.places: one for want in wants for one in want.videos}.values())
        chosen = [] if no_videos else select(wanted, videos, questions, category)
        extras = dict.fromkeys(extra for want in wants for extra in want.extras)
        missing = () if no_videos else download.bring_videos(chosen, list(extras))
        tidy(root)  # also after a kill between a folder's last file and its end
        notes = download.bring_companions() if source is None else ()
        return Report(
            benchmark=name,
            root=root,
            repo=download.repo,
            revision=download.known.revision if download.known else "",
            questions=max(want.questions for want in wants),
            videos=len(chosen),
            fetched=tuple(download.came),
            fetched_bytes=download.bytes,
            missing=missing,
            verified=download.verified(),
            notes=(*notes_of(benchmark, download.known), *notes),
        )


class _Download:
    """One download into one folder; the remote is not asked before there is something to ask for."""

    def __init__(
        self,
        benchmark: Benchmark,
        root: Path,
        alone: bool,
        source: Remote | Path | None,
        revision: str | None,
        workers: int,
        progress: bool,
    ) -> None:
        self.benchmark = benchmark
        self.root = root
        self.known = read_catalogue(root)
        self.came: list[str] = []
        self.bytes = 0
        self._places = [root] if alone else places.folders(benchmark)
        self._workers = workers
        self._progress = progress
        self._origin = self._remote(source, revision)
        self.repo = self._origin.repo if source else benchmark.repo

    def tables(self, task: str) -> list[Path]:
        """The question files of a task; [] where there are none yet."""
        return places.tables(self.benchmark, task, self._places)

    def bring_tables(self, tasks: Sequence[str]) -> None:
        """Bring the question files of those tasks that have none here."""
        lacking = [task for task in tasks if not self.tables(task)]
        patterns = dict.fromkeys(pattern for task in lacking for pattern in self.benchmark.tables[task])
        if not patterns:
            return
        known = self._catalogue()
        files = {file.path: file for file in self._origin.files()}
        chosen = {pattern: [path for path in files if fnmatch(path, pattern)] for pattern in patterns}
        for pattern, found in chosen.items():
            if not found:
                raise DownloadError(
                    f"{self.benchmark.repo}: no {pattern} at revision {self._origin.revision}"
                )
        loose = [files[path] for found in chosen.values() for path in found]
        archives = archives_of(self._origin, loose)
        entries = [_loose(file) for file in loose]
        self._fetch([(entry, entry.path) for entry in entries], archives)
        known.tables |= {entry.path: sums_of(self.root / entry.path).sha256 for entry in entries}
        known.save(self.root)
        if self.root not in self._places:
            self._places.insert(0, self.root)

    def bring_videos(self, chosen: Sequence[Wanted], extras: Sequence[str]) -> tuple[str, ...]:
        """Bring videos and extras that are not here or not whole; returns the videos that are nowhere."""
        noted = fetched(self.root)
        absent = [one for one in chosen if not self._here(one, noted)]
        lacking = [extra for extra in extras if places.first(self._places, [extra]) is None]
        if not absent and not self._may_hold(lacking) and not (self.known and due(self.known, self.root)):
            return ()
        known = self._catalogue()
        entries, archives = read_archives(self._origin, self.benchmark, known, self.root, self._progress)
        members, missing = choose([one.places for one in absent], entries)
        members += [(entries[extra], extra) for extra in lacking if extra in entries]
        for entry, _ in members:
            if entry.archive in known.archives:
                known.archives[entry.archive].verified = False
        self._fetch(members, archives)
        verify_archives(archives, known, self.root, self._progress)
        return missing

    def bring_companions(self) -> tuple[str, ...]:
        """Fetch what the benchmark's authors publish beside the repository; returns a note for what cannot be had."""
        notes = []
        for name, url in self.benchmark.companions:
            if places.first(self._places, [name]):
                continue
            try:
                with urllib.request.urlopen(url, timeout=60) as answer:
                    content = answer.read()
                json.loads(content)  # and not a page that says so
                with whole(self.root / name) as fresh:
                    fresh.write_bytes(content)
                self.came.append(name)
            except (OSError, HTTPException, ValueError) as error:
                notes.append(
                    f"note: {name} could not be fetched from {url} ({error}); put it into {self.root}"
                )
        return tuple(notes)

    def verified(self) -> tuple[str, ...]:
        """The archives of which it is proven."""
        records = self.known.archives if self.known else {}
        return tuple(name for name, record in records.items() if record.verified)

    def _here(self, one: Wanted, noted: Mapping[str, Fetched]) -> bool:
        """Whether a video is here and, where it is one of ours, as long as when it came."""
        path = places.first(self._places, one.places)
        if path is None or self.root not in path.parents:
            return path is not None
        name, size = path.relative_to(self.root).as_posix(), path.stat().st_size
        if name in noted:
            return noted[name].size == size
        entry = self._entry(one)  # killed between the rename and the note, or put here by hand
        if entry is None:
            return True
        if entry.size == size:
            note(self.root, _record(entry, name, sums_of(path)))
        return entry.size == size

    def _may_hold(self, extras: Sequence[str]) -> bool:
        """Whether one of these files may be had: most videos have no subtitles, which needs no asking twice."""
        unread = bool(self.benchmark.archives) and not self._held
        return any(unread or extra in self._held for extra in extras)

    def _entry(self, one: Wanted) -> Entry | None:
        """A wanted video as the catalogue on disk has it."""
        members, _ = choose([one.places], self._held)
        return members[0][0] if members else None

    @cached_property
    def _held(self) -> dict[str, Entry]:
        return {entry.path: entry for entry in self.known.entries()} if self.known else {}

    def _fetch(self, members: Sequence[tuple[Entry, str]], archives: Mapping[str, Archive]) -> None:
        """Bring entries to their places below the folder, each checked against what the repository states."""
        jobs = [
            Job(
                target=self.root / path,
                size=entry.size,
                open=partial(open_entry, archives[entry.archive], entry),
                check=partial(_check, entry),
                label=entry.path
                if entry.path == entry.archive
                else f"{entry.archive}: member '{entry.path}'",
            )
            for entry, path in members
        ]
        _check_space(self.root, jobs)
        by_target = {self.root / path: (entry, path) for entry, path in members}

        def on_done(job: Job, sums: Sums) -> None:
            entry, path = by_target[job.target]
            if entry.git_sha1 not in (None, git_sha1_of(job.target) if entry.git_sha1 else None):
                job.target.unlink()
                raise DownloadError(f"{path}: came with another hash than {self.repo} states; run again")
            note(self.root, _record(entry, path, sums))
            self.came.append(path)

        self.bytes += fetch_all(jobs, self._workers, self._progress, on_done)

    def _remote(self, source: Remote | Path | None, revision: str | None) -> Remote:
        if source is not None:
            return FolderRemote(source) if isinstance(source, Path) else source
        held = self.known.revision if self.known and self.known.repo == self.benchmark.repo else None
        return HubRemote(self.benchmark.repo, revision or held or self.benchmark.revision)

    def _catalogue(self) -> Catalogue:
        """The folder's catalogue at the remote's commit; other questions than the folder's are never mixed in."""
        origin, known = self._origin, self.known
        if known is None or known.revision != origin.revision:
            tables = known.tables if known else {}
            if known and not _same_tables(origin, tables):
                raise DownloadError(
                    f"{self.root}: holds {known.repo} at revision {known.revision}, and its questions are not those "
                    f"of {origin.revision}; remove the folder, or give another with --out"
                )
            self.known = Catalogue(repo=origin.repo, revision=origin.revision, tables=tables)
        assert self.known is not None
        return self.known


def _check(entry: Entry, sums: Sums) -> None:
    if entry.sha256 not in (None, sums.sha256) or entry.crc not in (None, sums.crc):
        raise DownloadError(
            f"{entry.path}: came with another checksum than {entry.archive} states; run again"
        )


def _record(entry: Entry, path: str, sums: Sums) -> Fetched:
    return Fetched(path=path, archive=entry.archive, entry=entry.path, size=entry.size, sha256=sums.sha256)


def _loose(file: RemoteFile) -> Entry:
    return Entry(file.path, file.path, 0, file.size, sha256=file.sha256, git_sha1=file.git_sha1)


def _check_space(root: Path, jobs: Sequence[Job]) -> None:
    """Raise DownloadError before the first byte if the disk cannot take what is left."""
    left = sum(job.size - trusted_length(job.target, job.size) for job in jobs)
    free = shutil.disk_usage(root).free
    if left and left + SPARE_BYTES > free:
        raise DownloadError(
            f"{root}: {size_text(left)} to fetch, {size_text(free)} free; free some, set HLVID_DATA to another "
            "disk, name one task instead of a benchmark, or take a part with --videos, --questions or --category"
        )


def _same_tables(origin: Remote, tables: Mapping[str, str]) -> bool:
    """Whether the question files of a folder are, byte by byte, those of a remote."""
    files = {file.path: file for file in origin.files()}
    return all(
        path in files and digest == hashlib.sha256(origin.read(path, 0, files[path].size)).hexdigest()
        for path, digest in tables.items()
    )


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Two downloads into one folder would write the same partial files. The lock dies with its process."""
    busy = DownloadError(f"{root}: another download is running into this folder")
    with locked(root / ".hlvid-download.lock", busy):
        yield
