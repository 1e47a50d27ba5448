"""Which frames a file holds, in presentation order, and which packets they come from.

Example::

    index = load_index(Path("clip.mp4"))
    index.count                     # number of frames that a full sequential decode gives
    index.pts[10] * index.time_base # when frame 10 is shown, in seconds
    index.packets                   # one row a packet, or None where the container is not to be trusted

Two ways lead there. *Packets*: all packets are read, none is decoded; that is exact for mp4/mov and
mkv/webm with modern codecs, complete files, unique time stamps and packets whose NAL units agree with the
container. *Decoding*: everything else (MPEG-TS, AVI, old codecs, truncated or damaged files, lying sync
tables) is decoded once from the start, up to the first error, and frames are counted as they come. Indexes
are remembered per process.
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hlvid.errors import VideoError
from hlvid.video.nal import NalReader, Unit

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TRUSTED_FORMATS = {"mov", "mp4", "matroska", "webm"}
TRUSTED_CODECS = {"h264", "hevc", "vp9", "av1", "libdav1d"}


class _UntrustedError(Exception):
    """Why the packets alone cannot tell the frames; never leaves this module."""


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


@dataclass(frozen=True)
class FrameIndex:
    """Frames in presentation order. `packets` is None if they were counted by decoding.

    pts: (count,) time stamps, in units of `time_base` seconds; last_duration: of the last frame, 0 if
    unknown. notes: what is wrong with the file, in words; empty for a sound one.
    """

    pts: Ints
    last_duration: int
    time_base: float
    packets: PacketTable | None
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many frames the file gives."""
        return len(self.pts)


def load_index(path: Path) -> FrameIndex:
    """The index of a file as it is now: read once a process, and again when its size or time changes."""
    key = _key(path)
    if key not in _known:
        try:
            _remember(key, index_by_packets(path))
        except _UntrustedError as why:
            _remember(key, index_by_decoding(path, fault=str(why)))
    return _known[key]


def relearn(path: Path, fault: str) -> FrameIndex:
    """Decoding has shown the packets' index to be wrong (`fault` says how): count the frames by decoding."""
    return _remember(_key(path), index_by_decoding(path, fault))


_Key = tuple[Path, int, int]
_known: "OrderedDict[_Key, FrameIndex]" = OrderedDict()
_MOST = 64


def _key(path: Path) -> _Key:
    stat = path.stat()
    return path.resolve(), stat.st_size, stat.st_mtime_ns


def _remember(key: _Key, index: FrameIndex) -> FrameIndex:
    _known[key] = index
    while len(_known) > _MOST:
        _known.popitem(last=False)
    return index


def index_by_packets(path: Path) -> FrameIndex:
    """Read every packet, decode none. Raises _UntrustedError, with the reason, if that is not enough."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = str(stream.codec_context.codec.name)
        if not TRUSTED_FORMATS & set(container.format.name.split(",")) or codec not in TRUSTED_CODECS:
            raise _UntrustedError("")
        nal = NalReader.for_stream(codec, stream.codec_context.extradata)
        if nal is None and codec in ("h264", "hevc"):
            raise _UntrustedError("")
        try:
            by_dts = "mov" in container.format.name
            rows = [_row(packet, nal, by_dts) for packet in container.demux(stream) if packet.size]
        except av.error.FFmpegError as error:
            raise _UntrustedError(f"reading stops early ({error})") from error
        if stream.frames and stream.frames > len(rows):
            raise _UntrustedError(f"the header promises {stream.frames} frames, {len(rows)} are in the file")
        return _from_rows(rows, nal is not None, float(stream.time_base))


@dataclass(frozen=True)
class _Row:
    pts: int
    seek: int
    size: int
    duration: int
    hidden: bool
    unit: Unit


def _row(packet: Any, nal: NalReader | None, by_dts: bool) -> _Row:
    if packet.pts is None or packet.is_corrupt:
        raise _UntrustedError("a packet is marked as corrupt" if packet.is_corrupt else "")
    unit: Unit | None
    if nal is None:
        unit = Unit(start=packet.is_keyframe, clean=False, droppable=False, layer=0)
    else:
        unit = nal.classify(memoryview(packet))
    if unit is None:
        raise _UntrustedError("a packet is damaged")
    # The tables of mp4 and mov are searched by decoding time, the cues of Matroska by presentation time.
    seek = packet.dts if by_dts and packet.dts is not None else packet.pts
    return _Row(packet.pts, seek, packet.size, packet.duration or 0, packet.is_discard, unit)


def _from_rows(rows: list[_Row], has_layers: bool, time_base: float) -> FrameIndex:
    shown = sorted((row for row in rows if not row.hidden), key=lambda row: row.pts)
    pts = np.array([row.pts for row in shown], np.int64)
    if not shown or not rows[0].unit.start or len({row.pts for row in rows}) != len(rows):
        raise _UntrustedError("")
    if min(row.pts for row in rows) < rows[0].pts:
        raise _UntrustedError("")  # leading pictures of an open GOP at the very start: decoders drop them
    # A sub-layer non-reference picture may still serve the layers above its own.
    top = max(row.unit.layer for row in rows) if has_layers else 0
    table = PacketTable(
        pts=np.array([row.pts for row in rows], np.int64),
        seek=np.array([row.seek for row in rows], np.int64),
        size=np.array([row.size for row in rows], np.int64),
        start=np.array([row.unit.start for row in rows], np.bool_),
        clean=np.array([row.unit.clean for row in rows], np.bool_),
        droppable=np.array([row.unit.droppable and row.unit.layer == top for row in rows], np.bool_),
    )
    return FrameIndex(pts, shown[-1].duration, time_base, table)


def index_by_decoding(path: Path, fault: str = "") -> FrameIndex:
    """Decode the whole file once and list what comes out, up to the first error.

    fault: what is already known to be wrong; it becomes a note beside what is found on the way.
    Raises VideoError if not a single frame decodes.
    """
    from hlvid.video.backends.pyav import decode_all

    notes = [fault] if fault else []
    pts: list[int] = []
    duration, time_base = 0, 0.0
    for frame in decode_all(path, notes):
        stamp = frame.pts if frame.pts is not None else (pts[-1] + max(duration, 1) if pts else 0)
        pts.append(int(stamp))
        duration, time_base = int(frame.duration or duration), float(frame.time_base)
    if not pts:
        why = "; ".join(notes) or "the stream is empty"
        raise VideoError(f"{path}: no frame decodes ({why}); fetch the file again")
    return FrameIndex(np.array(pts, np.int64), duration, time_base, None, tuple(notes))
