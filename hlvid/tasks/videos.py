"""Looks at videos before a run: there, whole, and with a first picture that decodes.

Example::

    faults([Path("videos/a.mp4"), Path("videos/b.mp4")])   # {Path("videos/b.mp4"): "is cut short: 600 of 9000 bytes"}

An unpacking that was interrupted leaves files whose beginning plays. An MP4 states the length of each of its
boxes, so a file that ends inside one is found without decoding it.

A look takes some 10 ms, for EgoSchema's 5,031 videos a minute; so what was found whole is remembered in the state
folder, by path, size and time of change, and the next run starts at once.
"""

import contextlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from hlvid.files import write_json
from hlvid.paths import state_root

MEMORY = "looked-at.json"  # path -> [size, time of change in ns] of videos found whole


def faults(paths: Iterable[Path], again: bool = False) -> dict[Path, str]:
    """What is wrong with each broken video, in the order given; empty where all are fine.

    Args:
        paths: of videos; one named twice is looked at once.
        again: look also at those that an earlier call found whole.
    """
    states = {path: _state(path) for path in paths}
    known = _remembered()
    due = [path for path, state in states.items() if again or state is None or known.get(str(path)) != state]
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        looks = tqdm(pool.map(fault, due), total=len(due), desc="looking at videos", delay=3, leave=False)
        found = dict(zip(due, looks, strict=True))
    whole = {str(path): states[path] for path, what in found.items() if what is None}
    if whole:
        _remember({**_remembered(), **whole})
    return {path: what for path, what in found.items() if what is not None}


def fault(path: Path) -> str | None:
    """What is wrong with one video as far as its length and its first picture tell, or None."""
    import av

    if not path.is_file():
        return "not found"
    size = path.stat().st_size
    if size == 0:
        return "is an empty file"
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                return "has no video stream"
            if next(iter(container.decode(video=0)), None) is None:
                return "has no picture that decodes"
    except (av.FFmpegError, OSError) as error:
        return f"does not decode ({error})"
    stated = _stated_length(path)
    return f"is cut short: {size} of {stated} bytes" if stated > size else None


def _stated_length(path: Path) -> int:
    """How long an MP4 says it is, adding up its boxes; 0 for other formats and where it does not say."""
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return 0
        while position + 16 <= size:
            file.seek(position)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1:  # the length stands behind the name, in 64 bits
                length = int.from_bytes(header[8:16], "big")
            if length < 8 or not header[4:8].isalnum():  # 0 means up to the end; others are no boxes
                return 0
            position += length
    return position


def _state(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _remembered() -> dict[str, list[int] | None]:
    """Earlier findings; nothing where the note is absent or damaged, which costs time only."""
    try:
        note = json.loads((state_root() / MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _remember(known: dict[str, list[int] | None]) -> None:
    """Of two processes the later one's findings stay; a note that cannot be written costs the next run some time."""
    with contextlib.suppress(OSError):
        write_json(state_root() / MEMORY, known, indent=None)
