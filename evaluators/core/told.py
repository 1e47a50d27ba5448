"""What a selector may ask of a video beside pixels, gathered in one way for whoever shows it frames."""

from collections.abc import Collection, Sequence

from autogaze.selectors.told import Told
from hlvid.video import Video
from hlvid.video.motion import block_maps
from hlvid.video.picture import Size


def told_of(
    video: Video, indices: Sequence[int], size: Size, needs: Collection[str], question: str | None = None
) -> Told:
    """Of the frames `indices`, shown at `size` (height, width); the codec is asked only where it is needed.

    Raises VideoError, while it is handed out, where the video's decoder exports no motion vectors.
    """
    maps = block_maps(video.path, indices, size) if "codec" in needs else None
    return Told(video.timestamps, maps, question)
