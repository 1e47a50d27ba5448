"""Which frames a file holds, in presentation order, and all that is known of it without decoding it again.

Two ways lead there. *Packets*: all packets are read, none is decoded (`hlvid.video.packets` says when that is
exact). *Decoding*: everything else (MPEG-TS, AVI, old codecs, damaged files, lying sync tables) is decoded once,
and frames are counted as they come; what fails is left out and told. Indexes are remembered per process and on
disk (`hlvid.video.store`), so opening a file a second time reads nothing of it.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from hlvid.errors import VideoError
from hlvid.video import store
from hlvid.video.account import finished, stated_end
from hlvid.video.decoding import Log, decode_all
from hlvid.video.frame_index import FrameIndex
from hlvid.video.gaps import gaps, in_words, step_of, stretches
from hlvid.video.packets import Ints, UntrustedError, list_packets
from hlvid.video.picture import Shape, Turn
from hlvid.video.streams import choose, codec_of, open_file


def load_index(path: Path, stream: int | None = None) -> FrameIndex:
    """The index of a file as it is now: made once, and again when its size or time of change differ.

    stream: which stream to read, by its number in the file; None for the best one.
    Raises VideoError, OSError or av's FFmpegError if there is no video or not a single frame decodes.
    """
    key = store.key_of(path, stream)
    return _remember(key, _known.get(key) or store.load(key) or _made(path, stream, key))


def known_index(path: Path) -> FrameIndex | None:
    """The index if it was made before; nothing is read of the video."""
    key = store.key_of(path, None)
    return _known.get(key) or store.load(key)


def cheap_index(path: Path) -> FrameIndex | None:
    """The index, unless a sound-looking file would have to be decoded for it. Raises as `load_index`."""
    key = store.key_of(path, None)
    try:
        found = known_index(path) or _kept(key, finished(path, _by_packets(path, None)))
    except UntrustedError as why:
        return load_index(path) if str(why) else None
    return _remember(key, found)


def relearn(path: Path, stream: int | None, fault: str) -> FrameIndex:
    """Decoding has shown the packets' index to be wrong (`fault` says how): count the frames by decoding."""
    key = store.key_of(path, stream)
    index = _by_decoding(path, stream, "", careful=True)
    if not index.damage:
        index = replace(index, remarks=(f"the container's index is wrong ({fault})",))
    return _remember(key, _kept(key, finished(path, index)))


_known: "OrderedDict[store.Key, FrameIndex]" = OrderedDict()
_MOST = 64
_lock = Lock()


def _remember(key: store.Key, index: FrameIndex) -> FrameIndex:
    with _lock:
        _known[key] = index
        _known.move_to_end(key)
        while len(_known) > _MOST:
            _known.popitem(last=False)
    return index


def _made(path: Path, stream: int | None, key: store.Key) -> FrameIndex:
    try:
        index = _by_packets(path, stream)
    except UntrustedError as why:
        index = _by_decoding(path, stream, str(why), careful=bool(str(why)))
    return _kept(key, finished(path, index))


def _kept(key: store.Key, index: FrameIndex) -> FrameIndex:
    store.save(key, index)
    return index


def _by_packets(path: Path, wanted: int | None) -> FrameIndex:
    with open_file(path) as container:
        stream = choose(container, path, wanted)
        blank = _blank(container, stream)
        listed = list_packets(container, stream, path)
    log = Log()
    first = next(decode_all(path, blank.stream, None, log), None)
    if first is None or not log.clean or first.pts != listed.pts[0]:
        raise UntrustedError("")
    index = replace(
        blank,
        pts=listed.pts,
        last_duration=listed.last_duration,
        packets=listed.table,
        trimmed=bool(listed.table.hidden.any()),
    )
    return _looks(index, first)


def _by_decoding(path: Path, wanted: int | None, fault: str, careful: bool) -> FrameIndex:
    """Decode the whole file once and list what comes out.

    fault: what is already known to be wrong. careful: by one thread; what looks damaged is decoded so anyhow.
    Raises VideoError if not a single frame decodes.
    """
    with open_file(path) as container:
        blank = _blank(container, choose(container, path, wanted))
    log, first, raw = Log(), None, _Stamps()
    for frame in decode_all(path, blank.stream, 1 if careful else None, log):
        first = first or frame
        raw.add(frame)
        if not careful and (frame.is_corrupt or log.flagged or not log.clean):
            break
    if not careful and (raw.corrupt or log.flagged or not log.clean):
        return _by_decoding(path, wanted, fault, careful=True)
    if first is None:
        why = "; ".join(part for part in (fault, log.stopped) if part) or "nothing in it can be decoded"
        raise VideoError(f"{path}: no frame decodes ({why}); fetch the file again")
    index = replace(
        blank,
        pts=raw.ascending(_usual_step(blank)),
        last_duration=raw.last_duration,
        trimmed=log.packets < log.read,
        threads=1 if careful else None,
        sizes=tuple(raw.sizes) if len(raw.sizes) > 1 else (),
    )
    return replace(_looks(index, first), damage=_damage(index, log, raw, fault))


class _Stamps:
    """What is kept of each frame of a decode: time, size, damage."""

    def __init__(self) -> None:
        self.pts: list[int | None] = []
        self.sizes: list[tuple[int, int, int]] = []
        self.corrupt: list[int] = []
        self.last_duration = 0

    def add(self, frame: Any) -> None:
        """Note one frame."""
        if frame.is_corrupt:
            self.corrupt.append(len(self.pts))
        if not self.sizes or self.sizes[-1][1:] != (frame.height, frame.width):
            self.sizes.append((len(self.pts), frame.height, frame.width))
        self.pts.append(frame.pts)
        self.last_duration = int(frame.duration or 0) or self.last_duration

    def ascending(self, usual: int) -> Ints:
        """Time stamps that always grow: absent ones follow the frame before, joined recordings go on."""
        step, shift, last = self.last_duration or usual, 0, None
        stamps: list[int] = []
        for pts in self.pts:
            now = pts + shift if pts is not None else (last + step if last is not None else 0)
            if last is not None and now <= last:
                shift += last + step - now
                now = last + step
            stamps.append(now)
            last = now
        return np.array(stamps, np.int64)


def _usual_step(index: FrameIndex) -> int:
    return max(1, round(1 / ((index.rate or 25.0) * index.time_base)))


def _damage(index: FrameIndex, log: Log, raw: _Stamps, fault: str) -> tuple[str, ...]:
    """What a decode found broken, with its times."""
    tick, zero = float(index.time_base), int(index.pts[0])
    bad = [(pts - zero) * tick for pts in log.failed if pts is not None]
    bad += [float(index.seconds[i]) for i in raw.corrupt]
    holes = [gap for gap in gaps(index.pts) if _near(gap.after, index, log.flagged) or fault]
    bad += [float(index.seconds[gap.after]) for gap in holes]
    starts = [(pts - zero) * tick for pts in log.starts]
    found = [fault] if fault and not bad else []
    lost = max(log.packets - index.count, sum(gap.missing for gap in holes), len(log.failed))
    if bad:
        where = in_words(stretches([max(0.0, time) for time in bad], starts, float(index.seconds[-1])))
        found.append(f"is damaged {where}" + (f", {lost} frames lost" if lost else ""))
    elif log.failed:
        found.append(f"is damaged: {len(log.failed)} packets do not decode")
    return (*found, log.stopped) if log.stopped else tuple(found)


def _near(after: int, index: FrameIndex, flagged: Sequence[int]) -> bool:
    """Whether the container marked a packet as corrupt at a gap in time."""
    step = step_of(index.pts)[0]
    return any(index.pts[after] - 2 * step <= pts <= index.pts[after + 1] + 2 * step for pts in flagged)


def _blank(container: Any, stream: Any) -> FrameIndex:
    """All that the header says."""
    aspect = stream.sample_aspect_ratio
    return FrameIndex(
        stream=stream.index,
        codec=codec_of(stream),
        pix_fmt="unknown",
        shape=Shape(1, 1, Fraction(aspect) if aspect and aspect > 0 else Fraction(1)),
        rate=float(stream.average_rate or 0),
        time_base=Fraction(stream.time_base),
        pts=np.zeros(0, np.int64),
        last_duration=0,
        packets=None,
        stated=stated_end(container, stream),
    )


def _looks(index: FrameIndex, first: Any) -> FrameIndex:
    shape = Shape(first.height, first.width, index.shape.aspect, Turn.of(first))
    return replace(index, shape=shape, pix_fmt=first.format.name)
