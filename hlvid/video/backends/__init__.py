"""Back ends that turn a file into frames, by name: pyav (the decoder of record), decord, torchcodec.

Example::

    backend = get("pyav")(Path("clip.mp4"))
    backend.info.frame_count

The optional ones exist to reproduce what others did; they are never chosen for anybody.
"""

from collections.abc import Callable
from pathlib import Path

from hlvid.errors import HlvidError, VideoError
from hlvid.video.backends.base import Backend


def _pyav(path: Path) -> Backend:
    import av

    from hlvid.video.backends.pyav import PyavBackend

    try:
        return PyavBackend(path)
    except (av.error.FFmpegError, IndexError, OSError) as error:
        why = getattr(error, "strerror", None) or "it has no video stream"
        raise VideoError(f"{path}: cannot be read as a video ({why}); fetch the file again") from error


def _decord(path: Path) -> Backend:
    from hlvid.video.backends.decord import DecordBackend

    return DecordBackend(path)


def _torchcodec(path: Path) -> Backend:
    from hlvid.video.backends.torchcodec import TorchcodecBackend

    return TorchcodecBackend(path)


BACKENDS: dict[str, Callable[[Path], Backend]] = {"pyav": _pyav, "decord": _decord, "torchcodec": _torchcodec}


def get(name: str) -> Callable[[Path], Backend]:
    """What opens a file with the back end of that name; HlvidError if there is none."""
    if name not in BACKENDS:
        raise HlvidError(f"video back end '{name}' is unknown; allowed: {', '.join(BACKENDS)}")
    return BACKENDS[name]
