"""Brings a benchmark to this machine, whole or in part: `hlvid download` for HLVid, `hlvid data prepare` for all.

What the one rule of `hlvid.benchmarks.locate` finds already is not fetched again. Of the archives on the hub only
their directories are read, then the members that are needed, each straight to its place. Run it again after any
interruption: files under their final names are whole. A folder holds one commit: the first run notes it, later
runs go on with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from functools import cached_property, partial
from pathlib import Path

from hlvid.benchmarks import locate, registry
from hlvid.benchmarks.needed import Wanted, needed
from hlvid.benchmarks.registry import Benchmark
from hlvid.download.archives import Archive, Entry, archives_of, loose, open_entry
from hlvid.download.catalogue import Catalogue, Fetched, fetched, note, read_archives, read_catalogue
from hlvid.download.choose import choose, select
from hlvid.download.companions import fetch_companions
from hlvid.download.guards import check, check_space, record, same_tables
from hlvid.download.remote import FolderRemote, HubRemote, Remote
from hlvid.download.report import Report, notes_of
from hlvid.download.transfer import Job, Sums, fetch_all, git_sha1_of, sums_of, tidy
from hlvid.download.verify_archives import due, verify_archives
from hlvid.errors import DownloadError
from hlvid.files import locked


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
    root = out or locate.home(benchmark)
    root.mkdir(parents=True, exist_ok=True)
    # two downloads into one folder would write the same partial files
    busy = DownloadError(f"{root}: another download is running into this folder")
    with locked(root / ".hlvid-download.lock", busy):
        download = _Download(benchmark, root, out is not None, source, revision, workers, progress)
        download.bring_tables(tasks)
        wants = [needed(task, download.tables(task)) for task in tasks]
        wanted = list({one.places: one for want in wants for one in want.videos}.values())
        chosen = [] if no_videos else select(wanted, videos, questions, category)
        extras = dict.fromkeys(extra for want in wants for extra in want.extras)
        missing = () if no_videos else download.bring_videos(chosen, list(extras))
        tidy(root)  # also after a kill between a folder's last file and its end
        beside, notes = fetch_companions(benchmark, root, download.here) if source is None else ((), ())
        download.came += beside
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
        self.here = [root] if alone else locate.folders(benchmark)
        self._workers = workers
        self._progress = progress
        self._origin = self._remote(source, revision)
        self.repo = self._origin.repo if source else benchmark.repo

    def tables(self, task: str) -> list[Path]:
        """The question files of a task; [] where there are none yet."""
        return locate.tables(self.benchmark, task, self.here)

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
        alone = [files[path] for found in chosen.values() for path in found]
        archives = archives_of(self._origin, alone)
        entries = [loose(file) for file in alone]
        self._fetch([(entry, entry.path) for entry in entries], archives)
        known.tables |= {entry.path: sums_of(self.root / entry.path).sha256 for entry in entries}
        known.save(self.root)
        if self.root not in self.here:
            self.here.insert(0, self.root)

    def bring_videos(self, chosen: Sequence[Wanted], extras: Sequence[str]) -> tuple[str, ...]:
        """Bring videos and extras that are not here or not whole; returns the videos that are nowhere."""
        noted = fetched(self.root)
        absent = [one for one in chosen if not self._here(one, noted)]
        lacking = [extra for extra in extras if locate.first(self.here, [extra]) is None]
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

    def verified(self) -> tuple[str, ...]:
        """The archives of which it is proven."""
        records = self.known.archives if self.known else {}
        return tuple(name for name, record in records.items() if record.verified)

    def _here(self, one: Wanted, noted: Mapping[str, Fetched]) -> bool:
        """Whether a video is here and, where it is one of ours, as long as when it came."""
        path = locate.first(self.here, one.places)
        if path is None or self.root not in path.parents:
            return path is not None
        name, size = path.relative_to(self.root).as_posix(), path.stat().st_size
        if name in noted:
            return noted[name].size == size
        entry = self._entry(one)  # killed between the rename and the note, or put here by hand
        if entry is None:
            return True
        if entry.size == size:
            note(self.root, record(entry, name, sums_of(path)))
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
                check=partial(check, entry),
                label=entry.path
                if entry.path == entry.archive
                else f"{entry.archive}: member '{entry.path}'",
            )
            for entry, path in members
        ]
        check_space(self.root, jobs)
        by_target = {self.root / path: (entry, path) for entry, path in members}

        def on_done(job: Job, sums: Sums) -> None:
            entry, path = by_target[job.target]
            if entry.git_sha1 not in (None, git_sha1_of(job.target) if entry.git_sha1 else None):
                job.target.unlink()
                raise DownloadError(f"{path}: came with another hash than {self.repo} states; run again")
            note(self.root, record(entry, path, sums))
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
            if known and not same_tables(origin, tables):
                raise DownloadError(
                    f"{self.root}: holds {known.repo} at revision {known.revision}, and its questions are not those "
                    f"of {origin.revision}; remove the folder, or give another with --out"
                )
            self.known = Catalogue(repo=origin.repo, revision=origin.revision, tables=tables)
        assert self.known is not None
        return self.known
