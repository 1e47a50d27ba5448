"""Which video lies where in which tar part, learnt from the tar headers alone.

Example::

    index_part(source, RemoteFile("videos_part_0001.tar", size=9_500_000_000))
    # [Member(name="clip_av_video_0_000.mp4", part="videos_part_0001.tar", offset=1536, size=1_987_654), …]

The hub does not say what its 16 parts hold. A tar's headers are 512 bytes before each member, so a part of
five videos is indexed by reading some 300 KB of its 9.5 GB.
"""

import io
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from hlvid.download.remote import RemoteFile, Source
from hlvid.errors import DownloadError

VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v"}
WINDOW = 64 * 1024  # bytes read at once around a header


@dataclass(frozen=True)
class Member:
    """A video inside a part: its bytes are [offset, offset + size) of the part; `name` has no folder."""

    name: str
    part: str
    offset: int
    size: int


def index_part(source: Source, part: RemoteFile) -> list[Member]:
    """The videos of one tar part.

    Raises:
        DownloadError: not a plain tar, or it holds a link, a device, an absolute or climbing path, a sparse
        or
            truncated member, or one name twice. Nothing of such a part is taken.
    """
    reader = RangeReader(source, part)
    try:
        with tarfile.open(fileobj=io.BufferedReader(reader, WINDOW), mode="r:") as archive:
            infos = archive.getmembers()
    except tarfile.TarError as error:
        raise DownloadError(f"{part.path}: not a readable tar archive: {error}") from error
    members = [_as_member(info, part) for info in infos if _is_video(info, part)]
    names = [member.name for member in members]
    for name in names:
        if names.count(name) > 1:
            raise DownloadError(f"{part.path}: holds '{name}' twice; refusing to choose")
    return members


def _is_video(info: tarfile.TarInfo, part: RemoteFile) -> bool:
    """Whether to take this member; raises for one that no honest archive of videos has."""
    path = PurePosixPath(info.name)
    unsafe = path.is_absolute() or ".." in path.parts or "\\" in info.name or "\0" in info.name
    if unsafe or not (info.isfile() or info.isdir()) or info.issparse():
        kind = "path leads outside" if unsafe else "is neither a plain file nor a folder"
        raise DownloadError(
            f"{part.path}: refusing member {info.name!r}: it {kind}".replace("it path", "its path")
        )
    hidden = path.name.startswith(".")  # "._clip.mp4": what macOS adds to archives
    return info.isfile() and path.suffix.lower() in VIDEO_SUFFIXES and not hidden


def _as_member(info: tarfile.TarInfo, part: RemoteFile) -> Member:
    if info.offset_data + info.size > part.size:
        raise DownloadError(f"{part.path}: member {info.name!r} runs past the end of the archive")
    return Member(PurePosixPath(info.name).name, part.path, info.offset_data, info.size)


class RangeReader(io.RawIOBase):
    """A part of a source as a seekable file, so that `tarfile` skips the videos instead of reading them."""

    def __init__(self, source: Source, part: RemoteFile) -> None:
        self._source = source
        self._part = part
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._part.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        length = max(0, min(len(buffer), self._part.size - self._position))
        if length:
            buffer[:length] = self._source.read(self._part.path, self._position, length)
        self._position += length
        return length
