"""The decoder of record: which frames a model sees, exact by index and at which size.

Example::

    from hlvid.video import Video, sampling
    with Video.open("clip_av_video_5_001.mp4") as video:
        picked = sampling.uniform_linspace(video.frame_count, 64)
        frames = video.frames(picked, size=(504, 896))  # uint8 (64, 504, 896, 3), RGB

Nothing here imports torch; PyAV is loaded when a video is opened.
"""

from hlvid.video import sampling, tiles
from hlvid.video.reader import Video, VideoWarning, damage_found

__all__ = ["Video", "VideoWarning", "damage_found", "sampling", "tiles"]
