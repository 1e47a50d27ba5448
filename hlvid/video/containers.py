"""How long a file says it is, and whether a stretch of it is whole: structure only, nothing is decoded.

MP4 and MOV state the length of each box, AVI of each RIFF chunk, Matroska and WebM of the segment, ASF (WMV) and
mostly FLV of the file, MPEG-TS is made of packets of 188 bytes (M2TS of 192). So an interrupted copy shows in all of
them without reading the data.

Sources: ISO/IEC 14496-12 (4.2), Microsoft's RIFF and OpenDML 1.02, RFC 8794 (EBML), RFC 9559 (Matroska),
ISO/IEC 13818-1 (2.4.3.2), Microsoft's Advanced Systems Format 1.20 (3.2),
Adobe's FLV 10.1 (E.5).
"""

import struct
from pathlib import Path
from typing import BinaryIO

TS_PACKET = 188
M2TS_PACKET = 192
_SEGMENT, _CLUSTER, _BLOCK_GROUP = 0x18538067, 0x1F43B675, 0xA0
_EBML = b"\x1a\x45\xdf\xa3"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def cut_short(path: Path) -> str | None:
    """How a file falls short of the length that it states; None if it does not, or states none."""
    size, stated = path.stat().st_size, stated_bytes(path)
    return f"is cut short: {size} of {stated} bytes" if stated > size else None


def stated_bytes(path: Path) -> int:
    """The length that the file's own structure adds up to, in bytes; 0 where it states none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4096)
        if head[4:8] == b"ftyp":
            return _boxes(file, size)
        if head[:4] == b"RIFF":
            return _riffs(file, size)
        if head[:4] == _EBML:
            return _segments(file, size)
    if head[:16] == _ASF:
        return _asf(head)
    if head[:3] == b"FLV":
        return _flv(head)
    for packet, sync in ((TS_PACKET, 0), (M2TS_PACKET, 4)):
        if head[sync : sync + 1] == head[packet + sync : packet + sync + 1] == b"\x47":
            return -(-size // packet) * packet
    return 0


def _asf(head: bytes) -> int:
    """The file's size in its File Properties, which stand among the first objects; 0 while it is still written."""
    at = head.find(_ASF_FILE)
    return int.from_bytes(head[at + 40 : at + 48], "little") if at > 0 else 0


def _flv(head: bytes) -> int:
    """The file's size in onMetaData, a double behind its name and type 0; 0 where a writer leaves it out."""
    _, name, after = head.partition(b"\x00\x08filesize\x00")
    return int(struct.unpack(">d", after[:8])[0]) if name and len(after) >= 8 else 0


def _boxes(file: BinaryIO, size: int) -> int:
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # the length stands behind the name, in 64 bits
            length = int.from_bytes(header[8:16], "big")
        if length < 8 or not header[4:8].isalnum():  # 0 means up to the end; others are no boxes
            return 0
        at += length
    return at


def _riffs(file: BinaryIO, size: int) -> int:
    """A long AVI (OpenDML) is a chain of RIFF chunks; what follows the last is no part of it."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(8)
        if header[:4] != b"RIFF":
            return at
        length = int.from_bytes(header[4:], "little")
        if length == 0:  # never closed: a recording that was interrupted
            return 0
        at += 8 + length + length % 2
    return at - 1 if at == size + 1 else at  # some writers leave out the last byte of padding


def _segments(file: BinaryIO, size: int) -> int:
    at = 0
    while at < size:
        found = _element(file, at)
        if found is None:
            return 0
        kind, head, length = found
        if length is None:  # written while it was recorded: open-ended
            return 0
        at += head + length
        if kind == _SEGMENT:
            return at
    return 0


def contiguous(path: Path, block: int, payload: int, until: int) -> bool:
    """Whether whole Matroska elements lead from one block of video to the next.

    block, until: where libav says that the two blocks' contents begin (`packet.pos`); payload: `packet.size`.
    """
    with path.open("rb") as file:
        at = block + 4 + payload  # a block's head: track (1 byte below number 127), time (2), flags (1)
        while at < until:
            found = _element(file, at)
            if found is None:
                return False
            kind, head, length = found
            if at + head == until:
                return True
            inside = kind in (_CLUSTER, _BLOCK_GROUP, _SEGMENT) or length is None
            at += head if inside else head + (length or 0)
    return False


def _element(file: BinaryIO, at: int) -> tuple[int, int, int | None] | None:
    """(id, bytes of head, bytes of body or None if open-ended) of the EBML element at `at`; None if none is there."""
    file.seek(at)
    data = file.read(12)
    kind_bytes = _vint_length(data[:1], most=4)
    size_bytes = _vint_length(data[kind_bytes : kind_bytes + 1], most=8) if kind_bytes else 0
    if not size_bytes or len(data) < kind_bytes + size_bytes:
        return None
    kind = int.from_bytes(data[:kind_bytes], "big")
    mask = (1 << 7 * size_bytes) - 1
    length = int.from_bytes(data[kind_bytes : kind_bytes + size_bytes], "big") & mask
    return kind, kind_bytes + size_bytes, None if length == mask else length


def _vint_length(first: bytes, most: int) -> int:
    """How many bytes a variable-length number has by its first byte; 0 if it cannot be one."""
    length = 9 - first[0].bit_length() if first and first[0] else 0
    return length if length <= most else 0
