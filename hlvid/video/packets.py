"""Which frames a file holds, told by its packets alone: all are read, none is decoded.

That is exact for mp4/mov and mkv/webm with modern codecs, complete files, unique time stamps and packets whose
NAL units agree with the container. Everything else has to be decoded once.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hlvid.video.containers import contiguous
from hlvid.video.gaps import gaps
from hlvid.video.nal import NalReader, Unit
from hlvid.video.streams import read_packets

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TRUSTED_FORMATS = {"mov", "mp4", "matroska", "webm"}
TRUSTED_CODECS = {"h264", "hevc", "vp9", "av1", "libdav1d"}


class UntrustedError(Exception):
    """Why the packets alone cannot tell the frames: damage, in words, or "" where nothing is wrong."""


@dataclass(frozen=True)
class PacketTable:
    """One entry a packet, in file (decoding) order; times in units of the stream's time base."""

    pts: Ints
    seek: Ints
    """The time stamp that makes the container seek to this packet."""
    size: Ints
    start: Flags
    clean: Flags
    droppable: Flags
    hidden: Flags
    """Decoded for others' sake, never shown: cut away by an edit list."""


@dataclass(frozen=True)
class Listed:
    """The table, the time stamps of the frames shown, ascending, and the last one's duration."""

    table: PacketTable
    pts: Ints
    last_duration: int


def list_packets(container: Any, stream: Any, path: Path) -> Listed:
    """Read every packet of the stream. Raises UntrustedError if that is not enough to know the frames."""
    import av

    formats = set(container.format.name.split(","))
    codec = str(stream.codec_context.codec.name)
    if not TRUSTED_FORMATS & formats or codec not in TRUSTED_CODECS:
        raise UntrustedError("")
    nal = NalReader.for_stream(codec, stream.codec_context.extradata)
    if nal is None and codec in ("h264", "hevc"):
        raise UntrustedError("")
    try:
        by_dts = "mov" in formats
        rows = [_row(packet, nal, by_dts) for packet in read_packets(container, stream, path) if packet.size]
    except av.error.FFmpegError as error:
        raise UntrustedError(f"cannot be read to its end ({error.strerror})") from error
    if stream.frames and stream.frames > len(rows):
        raise UntrustedError(f"promises {stream.frames} frames, {len(rows)} are in it")
    listed = _from_rows(rows, nal is not None)
    if "matroska" in formats and not _without_holes(rows, listed.pts, path):
        raise UntrustedError("holds a stretch that is no Matroska")
    return listed


@dataclass(frozen=True)
class _Row:
    pts: int
    seek: int
    size: int
    duration: int
    hidden: bool
    at: int
    unit: Unit


def _row(packet: Any, nal: NalReader | None, by_dts: bool) -> _Row:
    if packet.pts is None or packet.is_corrupt:
        raise UntrustedError("holds a packet marked as corrupt" if packet.is_corrupt else "")
    unit: Unit | None
    if nal is None:
        unit = Unit(start=packet.is_keyframe, clean=False, droppable=False, layer=0)
    else:
        unit = nal.classify(memoryview(packet))
    if unit is None:
        raise UntrustedError("holds a damaged packet")
    # The tables of mp4 and mov are searched by decoding time, the cues of Matroska by presentation time.
    seek = packet.dts if by_dts and packet.dts is not None else packet.pts
    at = -1 if packet.pos is None else packet.pos
    return _Row(packet.pts, seek, packet.size, packet.duration or 0, packet.is_discard, at, unit)


def _from_rows(rows: list[_Row], has_layers: bool) -> Listed:
    shown = sorted((row for row in rows if not row.hidden), key=lambda row: row.pts)
    pts = np.array([row.pts for row in shown], np.int64)
    if not shown or not rows[0].unit.start or len({row.pts for row in rows}) != len(rows):
        raise UntrustedError("")
    if min(row.pts for row in rows) < rows[0].pts:
        raise UntrustedError("")  # leading pictures of an open GOP at the very start: decoders drop them
    # A sub-layer non-reference picture may still serve the layers above its own.
    top = max(row.unit.layer for row in rows) if has_layers else 0
    table = PacketTable(
        pts=np.array([row.pts for row in rows], np.int64),
        seek=np.array([row.seek for row in rows], np.int64),
        size=np.array([row.size for row in rows], np.int64),
        start=np.array([row.unit.start for row in rows], np.bool_),
        clean=np.array([row.unit.clean for row in rows], np.bool_),
        droppable=np.array([row.unit.droppable and row.unit.layer == top for row in rows], np.bool_),
        hidden=np.array([row.hidden for row in rows], np.bool_),
    )
    return Listed(table, pts, shown[-1].duration)


def _without_holes(rows: list[_Row], pts: Ints, path: Path) -> bool:
    """Matroska is read on behind a hole without a word: where time jumps, the bytes between have to be sound."""
    behind = {int(pts[gap.after + 1]) for gap in gaps(pts)}
    pairs = [(a, b) for a, b in pairwise(rows) if a.pts in behind or b.pts in behind]
    return all(a.at < 0 or b.at < 0 or contiguous(path, a.at, a.size, b.at) for a, b in pairs)
