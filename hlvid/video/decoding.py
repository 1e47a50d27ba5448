"""A plain decode from the start, as ffmpeg does it: what fails is left out, decoding goes on behind it.

Damaged files are decoded by one thread: with several, libav conceals damage in another way each time.
"""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hlvid.video.streams import open_file, read_packets

THREAD_BYTES = 32 * 2**20
"""Each decoding thread holds a frame or two more, so by default these may add up to this: 2 threads at 4K."""


@dataclass
class Log:
    """What a decode has met so far; times in ticks of the stream's time base.

    read: packets with a picture. packets: those that are shown. starts: of packets where decoding may start.
    failed: of those refused (None: without a time stamp). flagged: of those that the container marks as
    corrupt. stopped: why reading ended before the end.
    """

    read: int = 0
    packets: int = 0
    starts: list[int] = field(default_factory=list)
    failed: list[int | None] = field(default_factory=list)
    flagged: list[int] = field(default_factory=list)
    stopped: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.failed or self.stopped)


def decode_all(path: Path, stream: int, threads: int | None, log: Log) -> Generator[Any, None, None]:
    """Every frame of a stream that decodes, in the order in which libav gives them.

    Raises FFmpegError or OSError if the file does not open.
    """
    with open_file(path) as container:
        decoder = prepare(container.streams[stream], threads)
        for packet in _packets(container, stream, path, log):
            yield from _decode(decoder, packet, log)


def _packets(container: Any, stream: int, path: Path, log: Log) -> Iterator[Any]:
    """All packets with a picture, then None, which empties the decoder."""
    import av

    try:
        for packet in read_packets(container, container.streams[stream], path):
            if packet.size:
                _count(packet, log)
                yield packet
    except av.error.FFmpegError as error:
        log.stopped = f"cannot be read to its end ({error.strerror})"
    yield None


def _count(packet: Any, log: Log) -> None:
    log.read += 1
    log.packets += not packet.is_discard
    if packet.pts is not None and packet.is_keyframe:
        log.starts.append(packet.pts)
    if packet.is_corrupt:
        log.flagged.append(packet.pts or 0)


def _decode(decoder: Any, packet: Any, log: Log) -> list[Any]:
    import av

    try:
        frames: list[Any] = decoder.decode(packet)
    except av.error.FFmpegError:
        log.failed.append(packet.pts if packet is not None else None)
        return []
    return frames


def prepare(stream: Any, threads: int | None) -> Any:
    """Set up the threads of a stream's decoder, and give the decoder."""
    decoder = stream.codec_context
    decoder.thread_type = "AUTO"
    decoder.thread_count = threads or _threads_for(decoder)
    return decoder


def _threads_for(decoder: Any) -> int:
    """As many threads as there are cores, at most 8, and at 4K only 2: that keeps it below 300 MB."""
    deep = decoder.format is not None and any(part.bits > 8 for part in decoder.format.components)
    frame_bytes: int = max(1, decoder.width * decoder.height) * 3 // 2 * (2 if deep else 1)
    return min(os.cpu_count() or 1, 8, max(2, THREAD_BYTES // frame_bytes))
