"""Whether a video is healthy: the one notion of it, in three depths.

*quick*, before a run: the file opens and holds a film, it is as long as it states, and its first, middle and last
groups of pictures start to decode; of a file below `SMALL` bytes all packets are read where they tell enough.
*full*: all packets, that is whatever `Video.open` finds. *deep*: all frames. What a deeper look found is known to
the quicker ones, as long as the file's size and time of change stay; quick looks at sound files are remembered in
the state folder.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from hlvid.errors import VideoError
from hlvid.memo import Memo
from hlvid.video.account import HALF_A_SECOND, stated_end
from hlvid.video.containers import cut_short
from hlvid.video.decoding import Log, decode_all, prepare
from hlvid.video.frame_index import FrameIndex
from hlvid.video.index import cheap_index, known_index, load_index, relearn
from hlvid.video.streams import choose, open_file

Depth = Literal["quick", "full", "deep"]
DEPTHS: tuple[Depth, ...] = ("quick", "full", "deep")
WORDS = {
    "quick": "start to decode",
    "full": "are whole, packet by packet",
    "deep": "decode to the last frame",
}
"""What is known of sound videos after a look of that depth."""

SMALL = 64 * 2**20
TRIED = 8  # frames of a group that a quick look decodes
READ = 2000  # packets that it reads for them: some containers do not know where groups begin
FAR_BACK = 20.0  # seconds before the end in which a group surely begins
MEMORY = "looked-at.json"  # path -> [size, time of change in ns] of videos found sound


@dataclass(frozen=True)
class Health:
    """What is wrong with a file, in words that follow its name. readable: whether frames of it can be had.

    damage: what is broken; remarks: what is merely odd; index: where all packets were read.
    """

    damage: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    readable: bool = True
    index: FrameIndex | None = None

    @property
    def fault(self) -> str | None:
        """All damage in one line, or None."""
        return "; ".join(self.damage) or None


def unsound(paths: Iterable[Path], depth: Depth = "quick", again: bool = False) -> dict[Path, Health]:
    """What is known of each broken video, in the order given; empty where all are sound.

    Args:
        paths: of videos; one named twice is looked at once.
        again: look also at those that an earlier call found sound.
    """
    states, sound = {path: _state(path) for path in paths}, Memo(MEMORY)
    anew = again or depth != "quick"
    due = [path for path, state in states.items() if anew or state is None or sound.get(str(path)) != state]
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        looks = pool.map(lambda path: examine(path, depth), due)
        shown = tqdm(looks, total=len(due), desc="looking at videos", delay=3, leave=False)
        found = dict(zip(due, shown, strict=True))
    for path, health in found.items():
        if not health.damage:
            sound.put(str(path), states[path])
    sound.save()
    return {path: health for path, health in found.items() if health.damage}


def examine(path: Path, depth: Depth = "quick") -> Health:
    """Look at one video. Nothing raises: what cannot be read is damage, too."""
    import av

    if not path.is_file():
        return Health(("not found",), readable=False)
    if path.stat().st_size == 0:
        return Health(("is an empty file",), readable=False)
    try:
        if depth == "deep":
            return _of_index(_decoded(path))
        if depth == "full":
            return _of_index(load_index(path))
        known = cheap_index(path) if path.stat().st_size <= SMALL else known_index(path)
        return _of_index(known) if known else _quick(path)
    except VideoError as error:
        return Health((str(error).removeprefix(f"{path}: "),), readable=False)
    except (av.error.FFmpegError, OSError) as error:
        return Health((f"does not decode ({error.strerror})",), readable=False)


def _of_index(index: FrameIndex) -> Health:
    return Health(index.damage, index.remarks, index=index)


def _decoded(path: Path) -> FrameIndex:
    """The index after all frames have been decoded once; it learns what only that tells."""
    index = load_index(path)
    if index.damage and index.packets is None:
        return index  # it was decoded to be counted
    log, count = Log(), 0
    for frame in decode_all(path, index.stream, None, log):
        if frame.is_corrupt or not log.clean:
            break
        count += 1
    if log.clean and count == index.count:
        return index
    return relearn(path, None, f"{count} of {index.count} frames decode")


def _quick(path: Path) -> Health:
    """Of a large file: its ends, its middle and its length."""
    cut = cut_short(path)
    found = [cut] if cut else []
    with open_file(path) as container:
        stream = choose(container, path)
        stated = stated_end(container, stream)
        number, length = stream.index, stated or float(container.duration or 0) / 1e6
    for name, share in (("first", 0.0), ("middle", 0.5), ("last", 1.0)):
        found += _group(path, number, name, share * length)
    if found and "last" in found[-1] and "no picture" in found[-1]:  # it began behind its only key frame
        found[-1:] = _group(path, number, "last", max(0.0, length - FAR_BACK))
    return Health(tuple(found), readable=not any("first" in one for one in found))


def _group(path: Path, stream: int, name: str, seconds: float) -> list[str]:
    """What is wrong with the start of the group of pictures at a time; nothing where all is well.

    The last one is read to the end, which has to be where the file says.
    """
    import av

    frames, end = 0, 0.0
    where = f"in its {name} group of pictures"
    try:
        with open_file(path) as container:
            source = container.streams[stream]
            decoder = prepare(source, None)
            tick, start = float(source.time_base), source.start_time or 0
            if seconds:
                container.seek(start + int(seconds / tick), stream=source, backward=True)
            read = (packet for packet in islice(container.demux(source), READ) if packet.size)
            for packet in chain(read, [None]):
                if frames < TRIED:
                    for frame in decoder.decode(packet):
                        frames += 1
                        if frame.is_corrupt:
                            return [f"is damaged {where}"]
                elif name != "last":
                    break
                if packet and packet.pts is not None:
                    end = max(end, (packet.pts - start + (packet.duration or 0)) * tick)
    except av.error.FFmpegError as error:
        return [f"does not decode {where} ({error.strerror})"]
    if not frames:
        return [f"does not decode {where} (no picture)"]
    early = name == "last" and seconds - end > max(2 * HALF_A_SECOND, 0.02 * seconds)
    return [f"is cut short: the picture ends at {end:.2f} of {seconds:.2f} s"] if early else []


def _state(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
