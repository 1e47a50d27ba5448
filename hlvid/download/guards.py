"""What is checked around each download: room on the disk, sums, the same questions."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from hlvid.download.archives import Entry
from hlvid.download.catalogue import Fetched
from hlvid.download.remote import Remote
from hlvid.download.report import size_text
from hlvid.download.transfer import Job, Sums, trusted_length
from hlvid.errors import DownloadError

SPARE_BYTES = 256 * 1024**2  # left free on the disk, for whatever else writes to it


def check(entry: Entry, sums: Sums) -> None:
    """Raise DownloadError where what came has other sums than the repository states."""
    if entry.sha256 not in (None, sums.sha256) or entry.crc not in (None, sums.crc):
        raise DownloadError(
            f"{entry.path}: came with another checksum than {entry.archive} states; run again"
        )


def record(entry: Entry, path: str, sums: Sums) -> Fetched:
    """The note of an entry that has come to `path`."""
    return Fetched(path=path, archive=entry.archive, entry=entry.path, size=entry.size, sha256=sums.sha256)


def check_space(root: Path, jobs: Sequence[Job]) -> None:
    """Raise DownloadError before the first byte if the disk cannot take what is left."""
    left = sum(job.size - trusted_length(job.target, job.size) for job in jobs)
    free = shutil.disk_usage(root).free
    if left and left + SPARE_BYTES > free:
        raise DownloadError(
            f"{root}: {size_text(left)} to fetch, {size_text(free)} free; free some, set HLVID_DATA to another "
            "disk, name one task instead of a benchmark, or take a part with --videos, --questions or --category"
        )


def same_tables(origin: Remote, tables: Mapping[str, str]) -> bool:
    """Whether the question files of a folder are, byte by byte, those of a remote."""
    files = {file.path: file for file in origin.files()}
    return all(
        path in files and digest == hashlib.sha256(origin.read(path, 0, files[path].size)).hexdigest()
        for path, digest in tables.items()
    )
