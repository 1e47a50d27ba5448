"""What zip and tar files on the hub hold, and the bytes of one member, without storing the archive.

`zipfile` and `tarfile` read the directories over the network: a tar of five videos costs some 300 KB of its 9.5 GB.
Each member then comes straight to its place: the disk holds one copy, a subset costs its own size, and a killed
run goes on. A tar that the hub keeps in pieces (`videos.tar.part.aa`, …) is read as one. Nothing of an archive is
taken that could write outside the folder, and nothing that unpacks to more than it states.
"""

import io
import re
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from tqdm import tqdm

from hlvid.download.remote import Remote, RemoteFile
from hlvid.errors import DownloadError

WINDOW = 64 * 1024  # bytes read at once around a header
_PART = re.compile(r"(?P<whole>.+\.tar)\.part[._]?\w+")
_BLOCK = 512  # of a tar


@dataclass(frozen=True)
class Entry:
    """A file inside an archive, or one that lies loose in the repository.

    Attributes:
        path: inside the archive, safe and relative. `name` is the same as a zip spells it, else "".
        archive: its name; of a tar in pieces, the name of the whole; of a loose file, its own.
        offset: where its bytes begin; of a zip's member, 0.
        size: bytes on disk.
        crc: zip's checksum. sha256, git_sha1: of a loose file, as the hub states them. None where there is none.
    """

    path: str
    archive: str
    offset: int
    size: int
    name: str = ""
    crc: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None


def loose(file: RemoteFile) -> Entry:
    """A file that lies loose in the repository, as an entry."""
    return Entry(file.path, file.path, 0, file.size, sha256=file.sha256, git_sha1=file.git_sha1)


class Window(io.RawIOBase):
    """Bytes [start, start + size) of a file of a remote as a seekable file; several pieces count as one."""

    def __init__(self, remote: Remote, pieces: Sequence[RemoteFile], start: int, size: int) -> None:
        self._remote = remote
        self._pieces = pieces
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As many bytes as there are up to the end of a piece."""
        inside = self._start + self._position
        left = min(len(buffer), self._size - self._position)
        for piece in self._pieces:
            if inside < piece.size and left > 0:
                count = min(left, piece.size - inside)
                buffer[:count] = self._remote.read(piece.path, inside, count)
                self._position += count
                return count
            inside -= piece.size
        return 0


class Archive:
    """A zip or tar of a remote; `pieces` in order where the hub keeps a tar in several."""

    def __init__(self, remote: Remote, pieces: Sequence[RemoteFile]) -> None:
        match = _PART.fullmatch(pieces[0].path)
        self.path = match["whole"] if match else pieces[0].path
        self.size = sum(piece.size for piece in pieces)
        self.sha256 = pieces[0].sha256 if len(pieces) == 1 else None
        self.is_zip = self.path.endswith(".zip")
        self._remote = remote
        self._pieces = pieces
        self._opened = threading.local()

    def window(self, start: int = 0, size: int | None = None) -> Window:
        """Its bytes, all or some, as a file."""
        return Window(self._remote, self._pieces, start, self.size - start if size is None else size)

    @property
    def zip(self) -> zipfile.ZipFile:
        """It as a zip, one for each thread: members of one `ZipFile` are read one at a time."""
        if not hasattr(self._opened, "zip"):
            self._opened.zip = zipfile.ZipFile(io.BufferedReader(self.window(), WINDOW))
        opened: zipfile.ZipFile = self._opened.zip
        return opened


def archives_of(remote: Remote, files: Sequence[RemoteFile]) -> dict[str, Archive]:
    """Every file by name, the pieces of a tar as one."""
    pieces: dict[str, list[RemoteFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        match = _PART.fullmatch(file.path)
        pieces.setdefault(match["whole"] if match else file.path, []).append(file)
    return {name: Archive(remote, found) for name, found in pieces.items()}


def open_entry(archive: Archive, entry: Entry) -> IO[bytes] | Window:
    """The content of an entry as a seekable file. A packed one is unpacked from its front to where it is entered."""
    return archive.zip.open(entry.name) if entry.name else archive.window(entry.offset, entry.size)


def entries_of(archive: Archive, progress: bool = False) -> list[Entry]:
    """The files inside one archive, folders and hidden files left out.

    A zip has a directory at its end; in a tar each member is asked for where the one before it ends, which
    takes minutes for thousands of them: hence `progress`.

    Raises:
        DownloadError: not a readable zip or tar, a member that leads outside, a link, an encrypted member or
            a method of packing other than deflate. Nothing of such an archive is taken.
    """
    try:
        if archive.is_zip:
            return [_zipped(info, archive) for info in archive.zip.infolist() if _wanted(info.filename, info)]
        infos = tqdm(
            _tar_members(archive), desc=archive.path, unit="file", delay=3, disable=not progress, leave=False
        )
        return [_taped(info, archive) for info in infos if _wanted(info.name, info)]
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        raise DownloadError(f"{archive.path}: not a readable archive: {error}") from error


def _tar_members(archive: Archive) -> Iterator[tarfile.TarInfo]:
    """The members of a tar, and of further tars that were joined to it."""
    file = io.BufferedReader(archive.window(), WINDOW)
    start: int | None = 0
    while start is not None:
        file.seek(start)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            yield from tar
            end = tar.offset
        start = _next_tar(file, end)


def _next_tar(file: IO[bytes], end: int) -> int | None:
    """Where the first block that is not empty lies behind the end of a tar; None where there is none."""
    file.seek(end)
    while block := file.read(_BLOCK):
        if block.strip(b"\0"):
            return file.tell() - len(block)
    return None


def _wanted(name: str, info: zipfile.ZipInfo | tarfile.TarInfo) -> bool:
    """Files but folders, and none of what systems hide in archives ("__MACOSX", "._clip.mp4")."""
    parts = PurePosixPath(name).parts
    folder = info.is_dir() if isinstance(info, zipfile.ZipInfo) else info.isdir()
    return not folder and not any(part.startswith(("._", "__MACOSX", ".DS_Store")) for part in parts)


def _zipped(info: zipfile.ZipInfo, archive: Archive) -> Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    packed = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if kind not in (0, stat.S_IFREG) or info.flag_bits & 1 or not packed:
        raise DownloadError(
            f"{archive.path}: refusing member {info.filename!r}: a link, encrypted, or packed by a method "
            "other than deflate"
        )
    return Entry(_safe(info.filename, archive), archive.path, 0, info.file_size, info.filename, info.CRC)


def _taped(info: tarfile.TarInfo, archive: Archive) -> Entry:
    if not info.isfile() or info.issparse():
        raise DownloadError(f"{archive.path}: refusing member {info.name!r}: not a plain file")
    if info.offset_data + info.size > archive.size:
        raise DownloadError(f"{archive.path}: member {info.name!r} runs past the end of the archive")
    return Entry(_safe(info.name, archive), archive.path, info.offset_data, info.size)


def _safe(name: str, archive: Archive) -> str:
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    if outside or not path.parts or ":" in path.parts[0]:
        raise DownloadError(f"{archive.path}: refusing member {name!r}: its path leads outside")
    return path.as_posix()
