"""Reads subtitle files and picks what is said while given frames are shown.

Video-MME asks with the subtitles of the frames that a model sees. pysubs2 takes the cues apart; before that the lines
with times are brought into one form, since real files carry odd fractions, missing hours, cue settings, other arrows
and WebVTT in files called .srt. No cue is lost without a word: what cannot be kept is named in a warning.
"""

import codecs
import html
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hlvid.errors import DatasetError

_STAMP = r"(?:(\d{1,2})\s*:\s*)?(\d+)\s*:\s*(\d+)(?:\s*[.,;]\s*(\d+)(?:\.\d+)?)?"
_TIMES = re.compile(rf"\s*{_STAMP}\s*(?:[-–—=]*\s*(?:>|&gt;)|[→⇒])\s*{_STAMP}(?:\s.*)?")
_ARROW = re.compile(r"\s*\S+\s*-+>\s*\S+.*")  # looks like a line of times
_TAG = re.compile(r"</?(?:[a-zA-Z]|\d+:)[^<>]*>|\{\\[^{}]*\}")
"""<i>, <font color="white">, <c.loud>, <00:19.000>, {\\an8}; not "1 < 2", not "{laughs}"."""
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\x00"))
_VTT_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)\b")


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
    """The cues of an .srt or WebVTT file in order, without tags and empty ones; () of an empty file.

    Warns of a cue that cannot be shown (unreadable times, an end before its start) and of another encoding than
    UTF-8 or UTF-16, by name.

    Raises:
        DatasetError: the file holds text but not one cue, such as an error page that was saved under its name.
    """
    import pysubs2

    text = original = _decoded(path).translate(_INVISIBLE)
    kind = "ass" if text.lstrip().startswith("[Script Info]") else "srt"
    if kind == "srt":
        text = "\n".join(_canonical(path, text.splitlines()))
    try:
        events = pysubs2.SSAFile.from_string(text, format_=kind, keep_html_tags=True)
    except ValueError as error:
        raise DatasetError(f"{path}: is no subtitle file ({error}); delete it and fetch it again") from error
    escaped = original.startswith("WEBVTT")
    cues = [Line(e.start / 1000, e.end / 1000, _said(e.text, escaped)) for e in events]
    if not cues and original.strip():
        raise DatasetError(f"{path}: holds no cue, so it is no subtitle file; delete it and fetch it again")
    for cue in cues:
        if cue.end < cue.start:
            _warn(
                path, f"the cue at {cue.start:g} s ends before it starts and is left out: {cue.text[:40]!r}"
            )
    return tuple(cue for cue in cues if cue.text and cue.end >= cue.start)


@lru_cache(maxsize=2048)
def frame_times(video: Path, count: int) -> tuple[float, ...]:
    """When `count` evenly spaced frames, the first and the last among them, are shown: seconds after the first
    picture, by the file's own time stamps."""
    from hlvid.video.index import load_index
    from hlvid.video.sampling import uniform_linspace

    seconds = load_index(video).seconds
    return tuple(float(seconds[index]) for index in uniform_linspace(len(seconds), count))


def _said(text: str, escaped: bool) -> str:
    """A cue's words in one line, without tags; of WebVTT its entities, too."""
    words = " ".join(_TAG.sub("", text.replace("\\N", " ")).split())
    return html.unescape(words) if escaped else words


def _decoded(path: Path) -> str:
    """The file's text, its encoding found by byte order mark or zero bytes, else UTF-8, else Windows-1252 with a
    warning."""
    data = path.read_bytes()
    marks = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
             (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
    encoding = next((name for mark, name in marks if data.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in data[:2]:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        _warn(path, f"not valid {encoding.removesuffix('-sig').upper()}; read as Windows-1252")
        return data.decode("cp1252", errors="replace")


def _canonical(path: Path, lines: Sequence[str]) -> Iterator[str]:
    """The lines with every cue opened by a blank line, a number and times as SubRip writes them."""
    skipping = False  # inside a cue whose times cannot be read, or a block of WebVTT that is not shown
    lines = [unicodedata.normalize("NFKC", line) if ">" in line else line for line in lines]
    for number, line in enumerate(lines):
        if match := _TIMES.fullmatch(line):
            skipping = False
            start, end = _clock(match.groups()[:4]), _clock(match.groups()[4:])
            yield from ("", "1", f"{start} --> {end}")
        elif _ARROW.fullmatch(line) and _above(lines, number) in (
            "",
            "0",
        ):  # not what is said: "press -> next"
            skipping = True
            _warn(
                path, f"line {number + 1}: times cannot be read, the cue is left out: {line.strip()[:60]!r}"
            )
        elif _VTT_BLOCK.match(line) and not "".join(lines[max(number - 1, 0) : number]).strip():
            skipping = True
        elif not skipping and not _opens_cue(lines, number):
            yield line
    yield from ("", "1")  # pysubs2 takes a last line of digits for the next cue's number


def _opens_cue(lines: Sequence[str], number: int) -> bool:
    """Whether a line is a cue's number, or its name in WebVTT: alone or a number, right above the times."""
    following = lines[number + 1] if number + 1 < len(lines) else ""
    alone, numbered = not _above(lines, number), lines[number].strip().isdecimal()
    if _TIMES.fullmatch(following):
        return alone or numbered
    return numbered and _ARROW.fullmatch(following) is not None


def _above(lines: Sequence[str], number: int) -> str:
    """What stands above a line, "0" for any number."""
    text = lines[number - 1].strip() if number else ""
    return "0" if text.isdecimal() else text


def _clock(parts: Sequence[str | None]) -> str:
    """ "1", "2", "5" and "5" (hours, minutes, seconds, fraction) -> "01:02:05,500"; hours may be None."""
    hours, minutes, seconds, fraction = parts
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    milliseconds = int(f"{fraction or '0':0<3}"[:3])
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d},{milliseconds:03d}"


def _warn(path: Path, what: str) -> None:
    warnings.warn(f"{path.name}: {what}", stacklevel=4)
