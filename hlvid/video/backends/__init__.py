"""Back ends that turn a file into frames, by name: pyav (the decoder of record), decord, torchcodec.

Example::

    backend = get("pyav")(Path("clip.mp4"), None, None)
    backend.info.frame_count

The optional ones exist to reproduce what others did; they are never chosen for anybody.
"""

from collections.abc import Callable
from pathlib import Path

from hlvid.errors import HlvidError, VideoError
from hlvid.video.backends.base import Backend


def _pyav(path: Path, threads: int | None, stream: int | None) -> Backend:
    import av

    from hlvid.video.backends.pyav import PyavBackend

    try:
        return PyavBackend(path, threads, stream)
    except (av.error.FFmpegError, OSError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise VideoError(f"{path}: cannot be read as a video ({why}); fetch the file again") from error


def _decord(path: Path, threads: int | None, stream: int | None) -> Backend:
    from hlvid.video.backends.decord import DecordBackend

    return DecordBackend(path, threads, stream)


def _torchcodec(path: Path, threads: int | None, stream: int | None) -> Backend:
    from hlvid.video.backends.torchcodec import TorchcodecBackend

    return TorchcodecBackend(path, threads, stream)


Opener = Callable[[Path, int | None, int | None], Backend]
"""(path, decoding threads or None, number of the stream or None; None: the back end's choice) -> an open file."""

BACKENDS: dict[str, Opener] = {"pyav": _pyav, "decord": _decord, "torchcodec": _torchcodec}


def get(name: str) -> Opener:
    """What opens a file with the back end of that name; HlvidError if there is none."""
    if name not in BACKENDS:
        raise HlvidError(f"video back end '{name}' is unknown; allowed: {', '.join(BACKENDS)}")
    return BACKENDS[name]
