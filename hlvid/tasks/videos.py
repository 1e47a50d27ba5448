"""Looks at videos before a run: there, whole, and with a first picture that decodes.

Example::

    faults([Path("videos/a.mp4"), Path("videos/b.mp4")])   # {Path("videos/b.mp4"): "is cut short: 600 of 9000 bytes"}

An unpacking that was interrupted leaves files whose beginning plays. An MP4 states the length of each of its
boxes, so a file that ends inside one is found without decoding it.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path


def faults(paths: Iterable[Path]) -> dict[Path, str]:
    """What is wrong with each broken video, in the order given; empty where all are fine."""
    unique = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(fault, unique))
    return {path: what for path, what in zip(unique, found, strict=True) if what is not None}


def fault(path: Path) -> str | None:
    """What is wrong with one video as far as its length and its first picture tell, or None."""
    if not path.is_file():
        return "not found"
    status = path.stat()
    if status.st_size == 0:
        return "is an empty file"
    return _looked_at(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=100_000)
def _looked_at(path: Path, size: int, changed: int) -> str | None:
    """`fault` of a file in one state; lmms-eval loads a task's configuration more than once a run."""
    import av

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
