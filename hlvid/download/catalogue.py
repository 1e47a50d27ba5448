"""What a repository holds, archives looked into, remembered in the benchmark's folder.

Example::

    entries, source = contents(origin, benchmark, root, progress=True)
    source.read("data/fFjv93ACGo8.mp4", 0, 1024)

Reading the directory of a 162 GB tar takes one request a member; `.hlvid-contents.json` keeps it for the next
run, for as long as the repository's revision stays the same.
"""

import os
from fnmatch import fnmatch
from pathlib import Path

from pydantic import BaseModel, ValidationError
from tqdm import tqdm

from hlvid.benchmarks.registry import Benchmark
from hlvid.download.archives import Entry, Joined, Unpacked, entries_of
from hlvid.download.remote import Source
from hlvid.errors import DownloadError

NAME = ".hlvid-contents.json"


class Catalogue(BaseModel):
    """The entries of each archive of one revision."""

    repo: str
    revision: str
    archives: dict[str, list[Entry]] = {}

    def save(self, root: Path) -> None:
        """Write beside the goal and rename: a kill leaves the old or the new one."""
        fresh = root / f"{NAME}.new"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(root / NAME)


def contents(
    origin: Source, benchmark: Benchmark, root: Path, progress: bool
) -> tuple[dict[str, Entry], Unpacked]:
    """Every file of the repository that can be had, inside archives or loose, and a source of them.

    Raises:
        DownloadError: an unsafe or unreadable archive, or two different files of one path.
    """
    files = origin.files()
    joined = Joined(origin, files)
    packed = [file for file in joined.files() if any(_matches(file.path, one) for one in benchmark.archives)]
    known = _catalogue(origin, root)
    for archive in tqdm(packed, desc="reading archives", unit="file", disable=not progress, leave=False):
        if archive.path not in known.archives:
            known.archives[archive.path] = entries_of(joined, archive, progress)
            known.save(root)
    loose = [
        Entry(file.path, file.path, 0, file.size, file.size, "plain", None, file.sha256) for file in files
    ]
    found = {entry.path: entry for entry in loose}
    for archive in packed:
        for entry in known.archives[archive.path]:
            other = found.setdefault(entry.path, entry)
            if (other.size, other.crc) != (entry.size, entry.crc):
                raise DownloadError(
                    f"'{entry.path}' lies in {other.archive} and differs in {entry.archive}; refusing to choose"
                )
    return found, Unpacked(joined, list(found.values()))


def _matches(name: str, pattern: str) -> bool:
    """By the whole of a tar in pieces: "videos.tar" matches "videos.tar.part.*"."""
    return fnmatch(name, pattern) or fnmatch(name, pattern.removesuffix(".part.*"))


def _catalogue(origin: Source, root: Path) -> Catalogue:
    """What an earlier run found at this revision; empty where there is none or it cannot be read."""
    path = root / NAME
    fresh = Catalogue(repo=origin.repo, revision=origin.revision)
    if not path.is_file():
        return fresh
    try:
        known = Catalogue.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        return fresh
    return known if (known.repo, known.revision) == (fresh.repo, fresh.revision) else fresh
