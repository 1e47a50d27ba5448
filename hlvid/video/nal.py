"""What one packet of H.264 or HEVC is, read from its NAL unit headers: may decoding start here, may it be
dropped?

Containers' own marks are not believed: a sync table may call any frame a key frame, and most files say
nothing about which frames are never referenced. Two bytes of each NAL unit do. Anything malformed gives
None, and the caller then falls back to a plain sequential decode.

Sources: ITU-T H.264 table 7-1, ITU-T H.265 table 7-1, ISO/IEC 14496-15 (length-prefixed NAL units).
"""

from collections.abc import Iterator
from dataclasses import dataclass

Data = bytes | memoryview


@dataclass(frozen=True)
class Unit:
    """One access unit (packet).

    start: decoding may begin here (IDR; in HEVC also BLA and CRA).
    clean: nothing after it, in any order, refers to anything before it (IDR), so no flush is needed.
    droppable: no other frame of the same or a lower temporal layer refers to it.
    layer: temporal layer (HEVC; 0 in H.264).
    """

    start: bool
    clean: bool
    droppable: bool
    layer: int


@dataclass(frozen=True)
class NalReader:
    """Classifies packets whose NAL units follow lengths of `length_size` bytes, as in mp4 and mkv."""

    codec: str
    length_size: int

    @classmethod
    def for_stream(cls, codec: str, extradata: Data | None) -> "NalReader | None":
        """A reader for a stream with an avcC or hvcC header; None for other codecs and Annex B streams."""
        at = {"h264": 4, "hevc": 21}.get(codec)
        if at is None or not extradata or len(extradata) <= at or extradata[0] != 1:
            return None
        return cls(codec, (extradata[at] & 3) + 1)

    def classify(self, packet: Data) -> Unit | None:
        """What the packet is, or None if its NAL units do not add up to it or it holds no picture."""
        headers = list(self._headers(packet))
        if not headers or headers[-1] is None:
            return None
        whole = [header for header in headers if header is not None]
        return _h264_unit(whole) if self.codec == "h264" else _hevc_unit(whole)

    def _headers(self, packet: Data) -> Iterator[tuple[int, int] | None]:
        """The first two bytes of every NAL unit; None at the end if a length runs over the packet's end."""
        at, end = 0, len(packet)
        while at < end:
            size = int.from_bytes(packet[at : at + self.length_size], "big")
            at += self.length_size
            if size < 2 or at + size > end:
                yield None
                return
            yield packet[at], packet[at + 1]
            at += size


def _h264_unit(headers: list[tuple[int, int]]) -> Unit | None:
    kinds = [first & 31 for first, _ in headers]
    slices = [first for first, _ in headers if 1 <= first & 31 <= 5]
    if not slices:
        return None
    idr = all(first & 31 == 5 for first in slices)
    # SEI (6), delimiter (9), filler (12) may be lost; parameter sets, layered coding (7, 8, 14, 20) not.
    disposable = all(1 <= kind <= 6 or kind in (9, 12) for kind in kinds)
    droppable = disposable and all(first >> 5 & 3 == 0 for first in slices)
    return Unit(start=idr, clean=idr, droppable=droppable, layer=0)


def _hevc_unit(headers: list[tuple[int, int]]) -> Unit | None:
    kinds = [first >> 1 & 63 for first, _ in headers]
    slices = [kind for kind in kinds if kind < 32]
    if not slices:
        return None
    layered = any((first & 1) << 5 | second >> 3 for first, second in headers)
    temporal = max((second & 7) - 1 for _, second in headers)
    # Even types up to 14 are sub-layer non-reference pictures; 35 to 40 delimiter, end marks, filler, SEI.
    plain = all(kind < 32 or 35 <= kind <= 40 for kind in kinds)
    droppable = plain and not layered and all(kind <= 14 and kind % 2 == 0 for kind in slices)
    start = all(16 <= kind <= 21 for kind in slices)
    return Unit(
        start=start, clean=all(kind in (19, 20) for kind in slices), droppable=droppable, layer=temporal
    )
