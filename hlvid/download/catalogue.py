"""A download's memory: what the repository holds at the revision we are at, and what came of it.

`hlvid-download.json` names the commit, the question files' hashes and what each archive holds: reading the directory
of a 162 GB tar takes one request a member. `.hlvid-files.jsonl` gets one line for every file that came.
"""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError
from tqdm import tqdm

from hlvid.benchmarks.registry import Benchmark
from hlvid.download.archives import Archive, Entry, archives_of, entries_of, loose
from hlvid.download.remote import Remote
from hlvid.errors import DownloadError
from hlvid.files import Lines, append_line, write_text

NAME = "hlvid-download.json"
FILES = ".hlvid-files.jsonl"
FORMAT = 2


class ArchiveRecord(BaseModel):
    """One archive: its entries, and whether its sha256 was found right with all of them unpacked."""

    size: int
    sha256: str | None = None
    verified: bool = False
    entries: list[Entry]


class Fetched(BaseModel):
    """One file that came: where it lies below the folder, which entry of which archive it is, and its content."""

    path: str
    archive: str
    entry: str
    size: int
    sha256: str


class Catalogue(BaseModel):
    """What a folder holds, of which repository at which commit."""

    format: int = FORMAT
    repo: str
    revision: str
    tables: dict[str, str] = Field(default_factory=dict)  # path -> sha256
    archives: dict[str, ArchiveRecord] = Field(default_factory=dict)

    def save(self, root: Path) -> None:
        """Replace the file in one step, so that a kill leaves the old or the new one."""
        write_text(root / NAME, self.model_dump_json(exclude_none=True))

    def entries(self) -> Iterator[Entry]:
        """Of all archives."""
        return (entry for record in self.archives.values() for entry in record.entries)


def read_catalogue(root: Path) -> Catalogue | None:
    """A folder's catalogue; None where there is none that this version can read: files are then looked at anew."""
    try:
        found = Catalogue.model_validate_json((root / NAME).read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
    return found if found.format == FORMAT else None


def commit_of(place: Path) -> str | None:
    """The commit that a folder with a benchmark's files holds, where it is known: one that we filled, or a snapshot
    in the hub's cache."""
    if place.parent.name == "snapshots":
        return place.name
    known = read_catalogue(place)
    return known.revision if known else None


def fetched(root: Path) -> dict[str, Fetched]:
    """What came, by path below `root`; a line cut by a kill is as good as none."""
    lines = [data for _, data in Lines(root / FILES).read(final=True) if data is not None]
    found = [Fetched.model_validate(data) for data in lines]
    return {one.path: one for one in found}


def note(root: Path, one: Fetched) -> None:
    """Add a line."""
    append_line(root / FILES, one.model_dump())


def read_archives(
    origin: Remote, benchmark: Benchmark, known: Catalogue, root: Path, progress: bool
) -> tuple[dict[str, Entry], dict[str, Archive]]:
    """Every file of the repository that can be had, inside archives or loose, and the archives by name.

    Raises:
        DownloadError: an unsafe or unreadable archive, or two different files of one path.
    """
    files = origin.files()
    archives = archives_of(origin, files)
    packed = {name: one for name, one in archives.items() if any(_is(name, p) for p in benchmark.archives)}
    for name, archive in tqdm(
        packed.items(), desc="reading archives", unit="file", disable=not progress, leave=False
    ):
        if name not in known.archives:
            entries = entries_of(archive, progress)
            known.archives[name] = ArchiveRecord(size=archive.size, sha256=archive.sha256, entries=entries)
            known.save(root)
    found = {file.path: loose(file) for file in files}
    for entry in known.entries():
        other = found.setdefault(entry.path, entry)
        same = other is entry or (
            entry.crc is not None and (other.size, other.crc) == (entry.size, entry.crc)
        )
        if not same:
            raise DownloadError(
                f"'{entry.path}' lies in {other.archive} and in {entry.archive}; refusing to choose"
            )
    return found, archives


def _is(name: str, pattern: str) -> bool:
    """By the whole of a tar in pieces: "videos.tar" matches "videos.tar.part.*"."""
    return fnmatch(name, pattern) or fnmatch(name, pattern.removesuffix(".part.*"))
