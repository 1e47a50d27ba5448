"""Opening a file with libav, and which of its streams is the video.

A film may come with a cover in front of it: streams marked as attached pictures, stills or thumbnails never
count, nor does a stream of an image codec that holds a single picture, marked or not (Matroska files name
their covers rarely). Of the others libav's own rule decides (`av_find_best_stream`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hlvid.errors import VideoError

IMAGE_CODECS = {
    *("mjpeg", "mjpegb", "jpeg2000", "jpegls", "jpegxl", "png", "apng", "bmp", "gif", "tiff", "webp"),
    *("ppm", "pgm", "psd", "targa", "sgi", "svg", "ljpeg", "qoi"),
}
_NO_VIDEO = ("attached_pic", "still_image", "timed_thumbnails")
_SECOND = "hearing_impaired", "visual_impaired"


def open_file(path: Path) -> Any:
    """An open container. Names and comments that are no UTF-8 do not matter here.

    libav's messages go nowhere. torchvision 0.20 sends them to Python: a decoder's thread then waits for the
    interpreter to write one, while the interpreter, closing that decoder, waits for the thread.

    Raises FFmpegError or OSError if libav cannot open it.
    """
    import av

    av.logging.set_level(None)
    return av.open(str(path), metadata_errors="replace")


def codec_of(stream: Any) -> str:
    """The codec's name as the world knows it ("av1", not "libdav1d"); "unknown" where libav has no decoder."""
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else "unknown"


def choose(container: Any, path: Path, wanted: int | None = None) -> Any:
    """The stream to read: number `wanted` of the file, or the best that is a video.

    Raises VideoError, with what is there instead, if there is none.
    """
    streams = [one for one in container.streams.video if one.codec_context is not None]
    if wanted is not None:
        return _numbered(container, streams, path, wanted)
    films = [one for one in streams if not _is_still(one, path)]
    if not films:
        raise VideoError(f"{path}: has no video stream{_instead(container)}; give a file with a film in it")
    best = container.streams.best("video")
    return best if best in films else max(films, key=_rank)


def _numbered(container: Any, streams: list[Any], path: Path, wanted: int) -> Any:
    for stream in streams:
        if stream.index == wanted:
            return stream
    there = _names(container).replace("still picture or cover", "video") or "none"
    raise VideoError(f"{path}: stream {wanted} asked, which is no video; its streams: {there}")


def _rank(stream: Any) -> tuple[bool, bool, int, int]:
    """As av_find_best_stream: not for the impaired, the default one, the higher bit rate, the first."""
    second = any(_flag(stream, name) for name in _SECOND)
    return not second, _flag(stream, "default"), stream.codec_context.bit_rate or 0, -stream.index


def _is_still(stream: Any, path: Path) -> bool:
    if any(_flag(stream, name) for name in _NO_VIDEO):
        return True
    return codec_of(stream) in IMAGE_CODECS and not _moves(stream.index, path)


def _moves(number: int, path: Path) -> bool:
    """Whether a stream holds a second picture. Read from the file: headers of Matroska count nothing."""
    import av

    pictures = 0
    with open_file(path) as container:
        try:
            for packet in container.demux(container.streams[number]):
                pictures += packet.size > 0
                if pictures > 1:
                    return True
        except av.error.FFmpegError:
            return False
    return False


def _flag(stream: Any, name: str) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition[name])


def _instead(container: Any) -> str:
    named = _names(container)
    return f" (only {named})" if named else ""


def _names(container: Any) -> str:
    """All streams in words. Of a stream of no known type not even the type may be asked: PyAV crashes."""
    kinds = {one.index: f"still picture or cover, {codec_of(one)}" for one in container.streams.video}
    kinds |= {one.index: f"audio, {codec_of(one)}" for one in container.streams.audio}
    return ", ".join(f"{one.index}: {kinds.get(one.index, 'other')}" for one in container.streams)


def read_packets(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """Every packet of a stream, the empty one at the end too; shows progress where that takes long.

    Raises FFmpegError where reading fails.
    """
    from tqdm import tqdm

    size, at = path.stat().st_size, 0
    with tqdm(
        total=size, unit="B", unit_scale=True, desc=f"reading {path.name}", delay=3, leave=False
    ) as bar:
        for packet in container.demux(stream):
            if packet.pos is not None and packet.pos > at:
                bar.update(packet.pos - at)
                at = packet.pos
            yield packet
