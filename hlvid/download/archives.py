"""What zip and tar files on the hub hold, and the bytes of one member, without storing the archive.

Example::

    unpacked = Unpacked(source, [RemoteFile("videos_chunked_01.zip", 5_180_000_000)])
    [file.path for file in unpacked.files()][:1]          # ["data/fFjv93ACGo8.mp4"]
    unpacked.read("data/fFjv93ACGo8.mp4", 0, 1024)        # its first kilobyte

`Unpacked` is a `Source` of the files inside, so `hlvid.download.parts` brings each of them straight to its place:
the disk holds one copy, a subset costs its own size, and a killed run goes on. A tar that the hub keeps in
pieces (`videos.tar.part.aa`, …) is read as one. Nothing of an archive is taken that could write outside the
folder, and nothing that unpacks to more than it states.
"""

import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tqdm import tqdm

from hlvid.download.part_index import WINDOW, RangeReader
from hlvid.download.remote import RemoteFile, Source
from hlvid.errors import DownloadError

PIECE = 8 * 1024**2  # packed bytes asked for at once
_PART = re.compile(r"(?P<whole>.+\.tar)\.part[._]?\w+")
_LOCAL_HEADER = 30  # bytes of a zip member's own header before its name


@dataclass(frozen=True)
class Entry:
    """A file inside an archive.

    Attributes:
        path: inside the archive, safe and relative.
        archive: its name; of a tar in pieces, the name of the whole.
        offset: where its data (tar) or its own header (zip) begin.
        packed, size: bytes inside the archive and on disk.
        method: "plain" (a tar's member, or a file that lies loose in the repository), "stored" or "deflated"
            (a zip's).
        crc: zip's checksum; None where there is none.
        sha256: of a loose file, as the hub states it.
    """

    path: str
    archive: str
    offset: int
    packed: int
    size: int
    method: str
    crc: int | None = None
    sha256: str | None = None


class Joined:
    """A `Source` in which the pieces of a tar are one file."""

    def __init__(self, source: Source, files: Sequence[RemoteFile]) -> None:
        self.repo = source.repo
        self.revision = source.revision
        self._source = source
        self._pieces: dict[str, list[RemoteFile]] = {}
        for file in sorted(files, key=lambda file: file.path):
            match = _PART.fullmatch(file.path)
            self._pieces.setdefault(match["whole"] if match else file.path, []).append(file)

    def files(self) -> list[RemoteFile]:
        """Every archive with its whole size."""
        return [
            RemoteFile(name, sum(piece.size for piece in pieces)) for name, pieces in self._pieces.items()
        ]

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, across pieces."""
        found, position = [], 0
        for piece in self._pieces[path]:
            inside = max(start - position, 0)
            count = min(piece.size - inside, length)
            if count > 0:
                found.append(self._source.read(piece.path, inside, count))
                length -= count
                start += count
            position += piece.size
        return b"".join(found)


class Unpacked:
    """A `Source` of the files inside archives; `entries` says what an earlier look found."""

    def __init__(self, source: Joined, entries: Sequence[Entry]) -> None:
        self.repo = source.repo
        self.revision = source.revision
        self._source = source
        self._entries = {entry.path: entry for entry in entries}
        self._running: dict[str, _Inflating] = {}

    def files(self) -> list[RemoteFile]:
        """Every file inside."""
        return [RemoteFile(entry.path, entry.size) for entry in self._entries.values()]

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of a file inside. Packed ones are meant to be read from front to back."""
        entry = self._entries[path]
        if entry.method == "deflated":
            running = self._running.get(path)
            if running is None or running.position != start:
                running = self._running[path] = _Inflating(self._source, entry)
                running.skip(start)
            data = running.take(length)
            if running.position == entry.size:
                del self._running[path]
            return data
        return self._source.read(entry.archive, _data_offset(self._source, entry) + start, length)


def entries_of(source: Joined, archive: RemoteFile, progress: bool = False) -> list[Entry]:
    """The files inside one archive, folders and hidden files left out.

    A zip has a directory at its end; in a tar each member is asked for where the one before it ends, which
    takes minutes for thousands of them: hence `progress`.

    Raises:
        DownloadError: not a readable zip or tar, a member that leads outside, a link, an encrypted member or
            a method of packing other than deflate. Nothing of such an archive is taken.
    """
    reader = io.BufferedReader(RangeReader(source, archive), WINDOW)
    try:
        if archive.path.endswith(".zip"):
            with zipfile.ZipFile(reader) as opened:
                return [_zipped(info, archive) for info in opened.infolist() if _wanted(info.filename, info)]
        with tarfile.open(fileobj=reader, mode="r:") as tar:
            infos = tqdm(tar, desc=archive.path, unit="file", delay=3, disable=not progress, leave=False)
            return [_taped(info, archive) for info in infos if _wanted(info.name, info)]
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        raise DownloadError(f"{archive.path}: not a readable archive: {error}") from error


def _wanted(name: str, info: zipfile.ZipInfo | tarfile.TarInfo) -> bool:
    """Files but folders, and none of what systems hide in archives ("__MACOSX", "._clip.mp4")."""
    parts = PurePosixPath(name).parts
    folder = info.is_dir() if isinstance(info, zipfile.ZipInfo) else info.isdir()
    return not folder and not any(part.startswith(("._", "__MACOSX", ".DS_Store")) for part in parts)


def _zipped(info: zipfile.ZipInfo, archive: RemoteFile) -> Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    methods = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
    if kind not in (0, stat.S_IFREG) or info.flag_bits & 1 or info.compress_type not in methods:
        raise DownloadError(
            f"{archive.path}: refusing member {info.filename!r}: a link, encrypted, or packed by a method "
            "other than deflate"
        )
    path = _safe(info.filename, archive)
    method = methods[info.compress_type]
    return Entry(path, archive.path, info.header_offset, info.compress_size, info.file_size, method, info.CRC)


def _taped(info: tarfile.TarInfo, archive: RemoteFile) -> Entry:
    if not info.isfile() or info.issparse():
        raise DownloadError(f"{archive.path}: refusing member {info.name!r}: not a plain file")
    if info.offset_data + info.size > archive.size:
        raise DownloadError(f"{archive.path}: member {info.name!r} runs past the end of the archive")
    path = _safe(info.name, archive)
    return Entry(path, archive.path, info.offset_data, info.size, info.size, "plain")


def _safe(name: str, archive: RemoteFile) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in path.parts[0]:
        raise DownloadError(f"{archive.path}: refusing member {name!r}: its path leads outside")
    return path.as_posix()


def _data_offset(source: Source, entry: Entry) -> int:
    """Where a member's data begin; a zip member's own header tells how long it is."""
    if entry.method == "plain":
        return entry.offset
    header = source.read(entry.archive, entry.offset, _LOCAL_HEADER)
    if header[:4] != b"PK\x03\x04":
        raise DownloadError(f"{entry.archive}: member {entry.path!r} is not where the archive says")
    return (
        entry.offset + _LOCAL_HEADER + sum(int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    )


class _Inflating:
    """One packed member, read from front to back; `position` counts unpacked bytes."""

    def __init__(self, source: Source, entry: Entry) -> None:
        self.position = 0
        self._source = source
        self._entry = entry
        self._offset = _data_offset(source, entry)
        self._taken = 0
        self._machine = zlib.decompressobj(-zlib.MAX_WBITS)

    def skip(self, count: int) -> None:
        """Pass over what is on disk already: packed data cannot be entered in the middle."""
        while count:
            count -= len(self.take(min(count, PIECE)))

    def take(self, count: int) -> bytes:
        """The next `count` bytes; raises DownloadError where there are fewer."""
        found = bytearray()
        while len(found) < count:
            packed = self._machine.unconsumed_tail or self._more()
            try:
                found += self._machine.decompress(packed, count - len(found))
            except zlib.error as error:
                raise DownloadError(
                    f"{self._entry.archive}: member {self._entry.path!r} does not unpack: {error}"
                ) from error
            if self._machine.eof and len(found) < count:
                raise DownloadError(
                    f"{self._entry.archive}: member {self._entry.path!r} is shorter than it states"
                )
        self.position += count
        return bytes(found)

    def _more(self) -> bytes:
        length = min(PIECE, self._entry.packed - self._taken)
        if length <= 0:
            raise DownloadError(f"{self._entry.archive}: member {self._entry.path!r} ends in the middle")
        self._taken += length
        return self._source.read(self._entry.archive, self._offset + self._taken - length, length)
