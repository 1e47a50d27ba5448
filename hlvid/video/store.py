"""Frame indexes on disk, so that a file is read once on a machine and not once a process.

One small file a video in the state folder (`hlvid.paths.state_root`), never beside the videos, which may lie on
a disk that can only be read. An index that cannot be written or read costs time only. It is made anew when
libav or this code changes how files are read (`FORMAT`).
"""

import contextlib
import hashlib
import json
import zipfile
import zlib
from dataclasses import asdict, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from hlvid.files import mark, whole
from hlvid.paths import state_root
from hlvid.video.frame_index import FrameIndex
from hlvid.video.packets import PacketTable
from hlvid.video.picture import Shape, Turn

FORMAT = 1

Key = tuple[str, int, int, int | None, str]
"""Resolved path, size, time of change in ns, stream asked for, mark: tools that copy put times back."""


def key_of(path: Path, stream: int | None) -> Key:
    """What the index of a file is known by. Raises OSError if the file is not there."""
    stat = path.stat()
    return str(path.resolve()), stat.st_size, stat.st_mtime_ns, stream, mark(path)


def folder() -> Path:
    """Where indexes lie."""
    return state_root() / "video-index"


def load(key: Key) -> FrameIndex | None:
    """The index kept under `key`; None where there is none, or none that can be read."""
    try:
        with np.load(_place(key), allow_pickle=False) as arrays:
            head = json.loads(str(arrays["head"]))
            if head.pop("key") != list(key) or head.pop("made_by") != _made_by():
                return None
            return _restored(head, {name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def save(key: Key, index: FrameIndex) -> None:
    """Keep the index; silently nothing where the folder cannot be written."""
    head = {f.name: getattr(index, f.name) for f in fields(index) if f.name not in ("pts", "packets")}
    head |= {
        "shape": {**asdict(index.shape), "aspect": str(index.shape.aspect)},
        "time_base": str(index.time_base),
        "key": key,
        "made_by": _made_by(),
    }
    arrays: dict[str, Any] = {"head": np.array(json.dumps(head)), "pts": index.pts}
    if index.packets is not None:
        arrays |= {f"packets.{f.name}": getattr(index.packets, f.name) for f in fields(index.packets)}
    with contextlib.suppress(OSError), whole(_place(key)) as fresh:
        np.savez_compressed(fresh, **arrays)


def _place(key: Key) -> Path:
    named = hashlib.sha256(f"{key[0]}\n{key[3]}".encode()).hexdigest()[:32]
    return folder() / f"{named}.npz"


def _made_by() -> str:
    import av

    versions = ".".join(str(part) for part in av.library_versions["libavformat"])
    return f"{FORMAT} libavformat {versions}"


def _restored(head: dict[str, Any], arrays: dict[str, Any]) -> FrameIndex:
    columns = {
        name: arrays[f"packets.{name}"]
        for name in (f.name for f in fields(PacketTable))
        if f"packets.{name}" in arrays
    }
    shape = head["shape"]
    return FrameIndex(
        **{
            **head,
            "shape": Shape(shape["height"], shape["width"], Fraction(shape["aspect"]), Turn(**shape["turn"])),
            "time_base": Fraction(head["time_base"]),
            "sizes": tuple(tuple(size) for size in head["sizes"]),
            "damage": tuple(head["damage"]),
            "remarks": tuple(head["remarks"]),
            "pts": arrays["pts"],
            "packets": PacketTable(**columns) if columns else None,
        }
    )
