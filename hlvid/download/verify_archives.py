"""Proves by sha256 that videos came whole out of a tar that was never stored.

A tar is its members and, between them, headers and padding. The members are on disk; the rest, some kilobytes, is
read once more from the remote; the sha256 over both must be the one that the hub states for the tar.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from hlvid.download.archives import Archive, Entry
from hlvid.download.catalogue import Catalogue, fetched
from hlvid.download.transfer import PIECE
from hlvid.errors import DownloadError

VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v"}


def verify_archives(archives: Mapping[str, Archive], known: Catalogue, root: Path, progress: bool) -> None:
    """Recompute the sha256 of every tar whose videos are all there; zips have a checksum for each member.

    Raises:
        DownloadError: a wrong sha256; the videos of that tar are removed, so that a new run fetches them again.
    """
    for name, found in tqdm(
        due(known, root).items(), desc="checking sha256", unit="archive", disable=not progress, leave=False
    ):
        if sha256_of_archive(archives[name], found) != known.archives[name].sha256:
            for _, path in found:
                path.unlink()
            names = ", ".join(path.name for _, path in found)
            raise DownloadError(
                f"{name}: wrong sha256; its videos ({names}) were removed, run again to refetch them"
            )
        known.archives[name].verified = True
        known.save(root)


def due(known: Catalogue, root: Path) -> dict[str, list[tuple[Entry, Path]]]:
    """The archives whose sha256 can be proven and is not yet: name -> its videos and where they lie."""
    here = {(one.archive, one.entry): root / one.path for one in fetched(root).values()}
    found = {}
    for name, record in known.archives.items():
        videos = [one for one in record.entries if PurePosixPath(one.path).suffix.lower() in VIDEO_SUFFIXES]
        paths = [here.get((name, one.path)) for one in videos]
        pairs = [(one, path) for one, path in zip(videos, paths, strict=True) if path and path.is_file()]
        provable = record.sha256 is not None and not record.verified and not name.endswith(".zip")
        if provable and len(pairs) == len(videos):
            found[name] = pairs
    return found


def sha256_of_archive(archive: Archive, members: Sequence[tuple[Entry, Path]]) -> str:
    """The sha256 (hex) that the tar must have if the unpacked videos are right."""
    digest = hashlib.sha256()
    position = 0
    gaps = archive.window()
    for entry, path in sorted(members, key=lambda pair: pair[0].offset):
        gaps.seek(position)
        digest.update(_exactly(gaps, entry.offset - position))
        with path.open("rb") as file:
            while data := file.read(PIECE):
                digest.update(data)
        position = entry.offset + entry.size
    gaps.seek(position)
    while data := gaps.read(PIECE):
        digest.update(data)
    return digest.hexdigest()


def _exactly(file: object, length: int) -> bytes:
    """`length` bytes, however many reads it takes."""
    found = bytearray()
    while len(found) < length and (data := file.read(length - len(found))):  # type: ignore[attr-defined]
        found += data
    return bytes(found)
