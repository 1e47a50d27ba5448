"""Brings a range of bytes to disk as a file, in a way that survives kill -9 and power cuts at any moment.

Example::

    fetch(source, Span("videos_part_0001.tar", offset=1536, size=1_987_654), Path("videos/clip.mp4"), print)

Bytes go to `.partial/NAME` beside the target and are synced every 64 MiB; only a complete, synced file is
renamed to its final name. A file under its final name is therefore whole, and a partial one tells how far we
got.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hlvid.download.part_index import Member
from hlvid.download.remote import RemoteFile, Source

PIECE = 16 * 1024**2  # bytes asked for at once
CHECKPOINT = 64 * 1024**2  # bytes between two syncs; a resumed file is trusted up to a multiple of this


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


@dataclass(frozen=True)
class Span:
    """Bytes [offset, offset + size) of the file `path` of a source."""

    path: str
    offset: int
    size: int


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


def fetch(source: Source, span: Span, target: Path, on_bytes: Callable[[int], object]) -> str:
    """Write `span` to `target`, going on where an earlier call was cut off; returns the sha256 of the whole
    file.

    `on_bytes` hears the number of bytes of each piece that came; it may raise to stop, and a later call goes
    on.
    """
    partial = partial_of(target)
    partial.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    done = synced = trusted_length(target, span.size)
    with partial.open("r+b" if partial.exists() else "w+b") as file:
        file.truncate(done)
        _hash_file(partial, digest)
        file.seek(done)
        while done < span.size:
            data = source.read(span.path, span.offset + done, min(PIECE, span.size - done))
            file.write(data)
            digest.update(data)
            done += len(data)
            if done - synced >= CHECKPOINT:
                _sync(file.fileno(), file.flush)
                synced = done
            on_bytes(len(data))
        _sync(file.fileno(), file.flush)
    partial.replace(target)
    sync_folder(target.parent)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """The sha256 of a file on disk."""
    digest = hashlib.sha256()
    _hash_file(path, digest)
    return digest.hexdigest()


def git_sha1_of(path: Path) -> str:
    """The name git gives the file's content: what the hub states for files outside LFS."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256_of_part(source: Source, part: RemoteFile, members: Iterable[Member], videos: Path) -> str:
    """The sha256 the tar part must have if the unpacked videos are right.

    The tar itself was never stored: its bytes are the videos on disk and, between them, the headers and
    padding, which are read once more from the source.
    """
    digest = hashlib.sha256()
    position = 0
    for member in sorted(members, key=lambda member: member.offset):
        _hash_span(source, Span(part.path, position, member.offset - position), digest)
        _hash_file(videos / member.name, digest)
        position = member.offset + member.size
    _hash_span(source, Span(part.path, position, part.size - position), digest)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hash_span(source: Source, span: Span, digest: _Digest) -> None:
    for start in range(0, span.size, PIECE):
        digest.update(source.read(span.path, span.offset + start, min(PIECE, span.size - start)))


def _hash_file(path: Path, digest: _Digest) -> None:
    with path.open("rb") as file:
        while data := file.read(4 * 1024**2):
            digest.update(data)


def _sync(handle: int, flush: Callable[[], None]) -> None:
    flush()
    os.fsync(handle)
