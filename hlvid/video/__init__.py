"""The decoder of record: which frames a model sees, exact by index and at which size.

Nothing here imports torch; PyAV is loaded when a video is opened.
"""

from hlvid.video import sampling, tiles
from hlvid.video.reader import Video, VideoWarning, damage_found

__all__ = ["Video", "VideoWarning", "damage_found", "sampling", "tiles"]
