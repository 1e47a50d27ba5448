"""A file's own account of itself, held against the frames it gives: cut short, gaps, changes of size."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hlvid.video.containers import cut_short
from hlvid.video.frame_index import FrameIndex
from hlvid.video.gaps import gaps, in_words

HALF_A_SECOND = 0.5
"""A picture that ends that much earlier than the file states is damage; less is a rounding of the header."""


def stated_end(container: Any, stream: Any) -> float:
    """When the picture ends by the header, in seconds of the stream's own clock; 0 where that is not told.

    Matroska tells it of each track in a tag, of the whole file where that has one stream only.
    """
    formats = set(container.format.name.split(","))
    if "mov" in formats and stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    if not formats & {"matroska", "flv", "asf"}:
        return 0.0
    hours, minutes, seconds = ([*stream.metadata.get("DURATION", "").split(":"), "", ""])[:3]
    if seconds:
        try:
            return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        except ValueError:
            return 0.0
    alone = len(container.streams) == 1 and container.duration
    return container.duration / 1e6 if alone else 0.0


def finished(path: Path, index: FrameIndex) -> FrameIndex:
    """The same with what the file's own account of itself gives away: cut short, gaps, changes of size."""
    end = float(index.pts[-1] * index.time_base) + max(
        float(index.last_duration * index.time_base), 1 / index.fps if index.fps else 0.0
    )
    damage, remarks = list(index.damage), list(index.remarks)
    behind = index.stated - end
    cut = cut_short(path)
    if cut is None and index.stated and behind > max(HALF_A_SECOND, 0.02 * index.stated):
        cut = f"is cut short: the picture ends at {end:.2f} of {index.stated:.2f} s"
    elif cut is None and index.stated and index.fps and behind > 1.5 / index.fps:
        remarks.append(f"the picture ends at {end:.2f} s, the header says {index.stated:.2f} s")
    if cut:
        damage.insert(0, cut)
    remarks += _odd(index)
    return replace(index, damage=tuple(damage), remarks=tuple(dict.fromkeys(remarks)))


def _odd(index: FrameIndex) -> list[str]:
    """What is unusual in the time line and in the picture's size."""
    found = []
    holes = gaps(index.pts)
    if holes:
        where = in_words([(float(index.seconds[g.after]), float(index.seconds[g.after + 1])) for g in holes])
        found.append(f"no new picture {where} (about {sum(gap.missing for gap in holes)} frames)")
    if index.sizes:
        sizes = ", then ".join(f"{w} x {h} from frame {i}" for i, h, w in index.sizes[:4])
        found.append(f"the picture's size changes: {sizes}")
    return found
