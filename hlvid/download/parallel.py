"""Fetches several videos at the same time, under one progress bar; the first failure stops the others.

Example::

    fetch_members(source, Path("videos"), members, 4, True, on_done=lambda member, sha256: print(sha256))
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from hlvid.download.part_index import Member
from hlvid.download.parts import Span, fetch, partial_of, trusted_length
from hlvid.download.remote import Source
from hlvid.errors import DownloadError


def fetch_members(
    source: Source,
    folder: Path,
    todo: Sequence[Member],
    workers: int,
    progress: bool,
    on_done: Callable[[Member, str], object],
) -> int:
    """Fetch every member of `todo` into `folder`; returns the bytes that came.

    `on_done(member, sha256)` is called in the calling thread as each video is complete.
    """
    total = sum(member.size for member in todo)
    before = sum(trusted_length(folder / member.name, member.size) for member in todo)
    stop = threading.Event()
    with tqdm(
        total=total, initial=before, desc="videos", unit="B", unit_scale=True, disable=not progress
    ) as bar:
        on_bytes = _stoppable(bar.update, stop)
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            jobs = {pool.submit(_fetch_one, source, folder, member, on_bytes): member for member in todo}
            try:
                for job in as_completed(jobs):
                    on_done(jobs[job], job.result())
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
    partial = partial_of(folder / "any").parent
    if partial.is_dir() and not any(partial.iterdir()):
        partial.rmdir()
    return total - before


def _fetch_one(source: Source, folder: Path, member: Member, on_bytes: Callable[[int], object]) -> str:
    try:
        return fetch(source, Span(member.part, member.offset, member.size), folder / member.name, on_bytes)
    except OSError as error:
        raise DownloadError(
            f"{folder / member.name}: cannot be written: {error}; run again to go on"
        ) from error


def _stoppable(update: Callable[[int], object], stop: threading.Event) -> Callable[[int], None]:
    """Pass byte counts on, until `stop`: then end the thread that reports them."""
    lock = threading.Lock()

    def on_bytes(count: int) -> None:
        if stop.is_set():
            raise DownloadError("stopped because another video failed")
        with lock:
            update(count)

    return on_bytes
