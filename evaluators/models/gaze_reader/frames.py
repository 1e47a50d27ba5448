"""The frames that a reader looks at, through the decoder of record, kept on disk for the next setting.

A 4K video takes seconds to decode and is read at many settings (selectors, ratios), so decoded and resized
frames are kept under `state_root()/frames`. An entry's name is a hash of the file's bytes, the indices, the
size, the decoder and the sources of `hlvid.video`: nothing stale can be read. The oldest entries go when
the folder passes `CACHE_BYTES`. Beside an entry stands what decoding it took: `seconds` are those of a
machine without the cache, so that the second of two settings does not look faster than the first.
"""

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import numpy as np

from evaluators.core.closure import code_of
from evaluators.core.identity import hash_of
from hlvid.files import whole, write_json
from hlvid.paths import state_root
from hlvid.video import Video, sampling
from hlvid.video.picture import Picture
from hlvid.video.tiles import fit_long_side

CACHE_BYTES = 4 * 2**30
"""Upper size of the cache folder; an entry above a quarter of it is decoded anew each time instead."""


class FrameSource:
    """The sampled frames of one video at one resolution; iterate once it is open.

    A clip shorter than `frames` gives all its frames. Raises VideoError when it does not decode.
    """

    def __init__(self, path: Path, resolution: int, frames: int, sampling: str, cache: bool = True) -> None:
        self.path, self.resolution, self.wanted = path, resolution, frames
        self.sampling, self.cache = sampling, cache

    def __enter__(self) -> "FrameSource":
        started = time.perf_counter()
        self.video = Video.open(self.path)
        self.native = (self.video.height, self.video.width)
        self.decoder = self.video.decoder
        self.indices = sampling.distinct(self.sampling, self.video.frame_count, self.wanted)
        self.size = fit_long_side(self.video.width, self.video.height, self.resolution)
        self.seconds = time.perf_counter() - started
        self.from_cache = False
        return self

    def __exit__(self, *exc: object) -> None:
        self.video.close()

    def __iter__(self) -> Iterator[tuple[int, Picture]]:
        """(index, uint8 (H, W, 3)) in ascending order; `seconds` grows by the time that decoding takes."""
        kept = self._kept()
        spent = _spent(kept) if kept else None
        self.from_cache = spent is not None
        if kept is not None and spent is not None:
            self.seconds = spent
            yield from self._load(kept)
            return
        pictures = self._decode(kept)
        while True:
            started = time.perf_counter()
            pair = next(pictures, None)
            self.seconds += time.perf_counter() - started
            if pair is None:
                return
            yield pair

    def _kept(self) -> Path | None:
        """Where these frames are or will be kept; None where they are not to be."""
        nbytes = len(self.indices) * self.size[0] * self.size[1] * 3
        if not self.cache or nbytes > CACHE_BYTES // 4:
            return None
        key = [_file_hash(self.path), self.indices, self.size, self.decoder, _code()]
        return state_root() / "frames" / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.npy"

    def _load(self, kept: Path) -> Iterator[tuple[int, Picture]]:
        os.utime(kept)  # the oldest entries are dropped first, so a used one becomes young
        for index, picture in zip(self.indices, np.load(kept, mmap_mode="r"), strict=True):
            yield index, np.array(picture)

    def _decode(self, kept: Path | None) -> Iterator[tuple[int, Picture]]:
        if kept is None:
            yield from self.video.stream(self.indices, self.size)
            return
        with self._filled(kept) as store:
            for slot, (index, picture) in enumerate(self.video.stream(self.indices, self.size)):
                store[slot] = picture
                yield index, picture

    @contextmanager
    def _filled(self, kept: Path) -> Iterator[Picture]:
        """An entry to be filled, uint8 (T, H, W, 3); it gets its name and its note when it is full."""
        with whole(kept) as part:
            shape = (len(self.indices), *self.size, 3)
            store = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
            yield store
            store.flush()
            write_json(_note(kept), self.seconds, indent=None)
        _trim(kept.parent, CACHE_BYTES)


def keep(path: Path, resolutions: Collection[int], frames: int, sampling: str) -> None:
    """Keep a video's frames at all these resolutions, decoded once, for settings that will read it at each of them.

    Raises VideoError when it does not decode.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(FrameSource(path, one, frames, sampling)) for one in resolutions]
        absent = [
            (source, stack.enter_context(source._filled(kept)))
            for source in opened
            if (kept := source._kept()) and _spent(kept) is None
        ]
        if not absent:
            return
        first = opened[0]
        started = time.perf_counter()
        for slot, (_, view) in enumerate(first.video.views(first.indices)):
            decoding = time.perf_counter() - started
            for source, store in absent:
                started = time.perf_counter()
                store[slot] = view(source.size)
                source.seconds += decoding + time.perf_counter() - started
            started = time.perf_counter()


def _note(kept: Path) -> Path:
    return kept.with_suffix(".json")


def _spent(kept: Path) -> float | None:
    """Seconds that decoding an entry took; None where there is no whole entry."""
    try:
        return float(json.loads(_note(kept).read_text(encoding="utf-8"))) if kept.exists() else None
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=1)
def _code() -> str:
    return hash_of(code_of(["hlvid.video"]))


@lru_cache(maxsize=256)
def _hash_of(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_hash(path: Path) -> str:
    """SHA-256 of the file's bytes, computed once a process while size and time of change stay the same."""
    stat = path.stat()
    return _hash_of(path, stat.st_size, stat.st_mtime_ns)


def _trim(folder: Path, limit: int) -> None:
    """Drop the entries that have not been used for longest until the folder holds at most `limit` bytes.

    What is still being written is no entry; what another reader drops meanwhile is gone.
    """
    total = 0
    for _, size, entry in sorted(_entries(folder), reverse=True):
        total += size
        if total > limit:
            entry.unlink(missing_ok=True)
            _note(entry).unlink(missing_ok=True)


def _entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each entry was last used, its bytes, and its file."""
    for entry in folder.glob("[!.]*.npy"):
        with suppress(FileNotFoundError):
            stat = entry.stat()
            yield stat.st_mtime, stat.st_size, entry
