"""Reads .srt files and picks what is said while given frames are shown.

Example::

    read(Path("subtitle/fFjv93ACGo8.srt"))              # [Line(start=0.5, end=2.1, text="Hi, I'm John Green")]
    subtitles_of(srt, video, frames=32)                 # texts at 32 evenly spaced frames, in order

Video-MME asks with the subtitles of the frames that a model sees. Cues with the tags that its own files carry
(`<font …>`) and plain ones both count.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hlvid.errors import DatasetError

_TIME = re.compile(r"(\d+):(\d+):(\d+)[,.](\d+)\s*-->\s*(\d+):(\d+):(\d+)[,.](\d+)")
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Line:
    """What is said from `start` up to `end`, in seconds."""

    start: float
    end: float
    text: str


def subtitles_of(path: Path, video: Path, frames: int | None) -> list[str]:
    """Texts of the cues shown at `frames` evenly spaced frames of the video, each once; all for None."""
    lines = read(path)
    if frames is None:
        return [line.text for line in lines]
    times = frame_times(video, frames)
    return [line.text for line in lines if any(line.start <= time < line.end for time in times)]


@lru_cache(maxsize=2048)  # three questions share a video
def read(path: Path) -> tuple[Line, ...]:
    """The cues of an .srt file in order, without tags and empty ones.

    Raises:
        DatasetError: the file is no text in UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: not valid UTF-8; fetch it again") from error
    lines = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        match = _TIME.search(block)
        said = " ".join(_TAG.sub("", block[match.end() :]).split()) if match else ""
        if match and said:
            start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
            lines.append(Line(start, end, said))
    return tuple(lines)


@lru_cache(maxsize=2048)
def frame_times(video: Path, count: int) -> tuple[float, ...]:
    """When `count` evenly spaced frames, the first and the last among them, are shown; in seconds."""
    import av

    from hlvid.video.sampling import uniform_linspace

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 0)
        duration = float((container.duration or 0) / av.time_base)
        frames = stream.frames or round(duration * rate)
    if not frames or not rate:
        raise DatasetError(f"{video}: states neither frames nor duration; subtitles cannot be placed")
    return tuple(index / rate for index in uniform_linspace(frames, count))


def _seconds(parts: tuple[str, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")
