"""Brings files to disk in a way that survives kill -9 and power cuts at any moment, several at the same time.

Bytes go to `.partial/NAME` beside the target and are synced every 64 MiB; only a complete, synced and checked file
is renamed to its final name. A file under its final name is therefore whole, and a partial one tells how far we got.
"""

import hashlib
import os
import threading
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from tqdm import tqdm

from hlvid.errors import DownloadError

PIECE = 8 * 1024**2  # bytes asked for at once
CHECKPOINT = 64 * 1024**2  # bytes between two syncs; a resumed file is trusted up to a multiple of this


class Readable(Protocol):
    """An opened file of any kind."""

    def read(self, size: int, /) -> bytes | None: ...
    def seek(self, offset: int, /) -> int: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Job:
    """A file to fetch: where to, how many bytes, how to open it, and what raises DownloadError if its sums are
    wrong. `label` names it for people."""

    target: Path
    size: int
    open: Callable[[], Readable]
    check: Callable[["Sums"], object]
    label: str


class Sums:
    """The sha256 (hex) and CRC-32 of what passes through."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.crc = 0

    def update(self, data: bytes) -> None:
        """Count `data` in."""
        self._digest.update(data)
        self.crc = zlib.crc32(data, self.crc)

    @property
    def sha256(self) -> str:
        """Of everything so far."""
        return self._digest.hexdigest()


def fetch_all(
    jobs: Sequence[Job], workers: int, progress: bool, on_done: Callable[[Job, Sums], object]
) -> int:
    """Fetch files side by side under one progress bar; the first failure stops the others.

    `on_done` is called in the calling thread as each file is complete. Returns the bytes that came.
    """
    total = sum(job.size for job in jobs)
    before = sum(trusted_length(job.target, job.size) for job in jobs)
    stop = threading.Event()
    with tqdm(
        total=total, initial=before, desc="download", unit="B", unit_scale=True, disable=not progress
    ) as bar:
        on_bytes = _stoppable(bar.update, stop)
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            running = {pool.submit(_fetch_job, job, on_bytes): job for job in jobs}
            try:
                for one in as_completed(running):
                    on_done(running[one], one.result())
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
    return total - before


def tidy(root: Path) -> None:
    """Remove the folders of partial files below `root` that are empty by now."""
    for folder in list(root.rglob(".partial")):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def fetch(job: Job, on_bytes: Callable[[int], object]) -> Sums:
    """Bring one file, going on where an earlier call was cut off; returns the sums of the whole.

    `on_bytes` hears the number of bytes of each piece that came; it may raise to stop, and a later call goes on.
    """
    partial = partial_of(job.target)
    partial.parent.mkdir(parents=True, exist_ok=True)
    sums = Sums()
    done = trusted_length(job.target, job.size)
    with partial.open("r+b" if partial.exists() else "w+b") as file:
        file.truncate(done)
        _sum_file(partial, sums)
        file.seek(done)
        with closing(job.open()) as source:
            _copy(source, file, done, job, sums, on_bytes)
    try:
        job.check(sums)
    except DownloadError:
        partial.unlink()
        raise
    partial.replace(job.target)
    sync_folder(job.target.parent)
    return sums


def _copy(
    source: Readable, file: IO[bytes], done: int, job: Job, sums: Sums, on_bytes: Callable[[int], object]
) -> None:
    source.seek(done)
    synced = done
    while done < job.size:
        data = source.read(min(PIECE, job.size - done))
        if not data:
            raise DownloadError(f"{job.label}: is shorter than it states")
        file.write(data)
        sums.update(data)
        done += len(data)
        if done - synced >= CHECKPOINT:
            _sync(file)
            synced = done
        on_bytes(len(data))
    _sync(file)


def _fetch_job(job: Job, on_bytes: Callable[[int], object]) -> Sums:
    try:
        return fetch(job, on_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        partial_of(job.target).unlink(missing_ok=True)
        raise DownloadError(f"{job.label}: does not unpack: {error}") from error
    except OSError as error:
        raise DownloadError(f"{job.target}: cannot be written: {error}; run again to go on") from error


def partial_of(target: Path) -> Path:
    """Where the bytes of `target` are gathered: on its own file system, out of the way of whoever lists its
    folder.
    """
    return target.parent / ".partial" / target.name


def trusted_length(target: Path, size: int) -> int:
    """How many bytes of an interrupted `target` need not be fetched again."""
    partial = partial_of(target)
    length = partial.stat().st_size if partial.is_file() else 0
    return length - length % CHECKPOINT if length <= size else 0


def sums_of(path: Path) -> Sums:
    """The sums of a file on disk."""
    sums = Sums()
    _sum_file(path, sums)
    return sums


def git_sha1_of(path: Path) -> str:
    """The name git gives the file's content: what the hub states for files outside LFS."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sum_file(path: Path, sums: Sums) -> None:
    with path.open("rb") as file:
        while data := file.read(4 * 1024**2):
            sums.update(data)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _stoppable(update: Callable[[int], object], stop: threading.Event) -> Callable[[int], None]:
    """Pass byte counts on, until `stop`: then end the thread that reports them."""
    lock = threading.Lock()

    def on_bytes(count: int) -> None:
        if stop.is_set():
            raise DownloadError("stopped because another file failed")
        with lock:
            update(count)

    return on_bytes
