"""Frames as pictures in a request, of the size and quality that were asked; never smaller to make them fit.

Example::

    pictures = encode(frames, "jpeg", quality=90)       # ["data:image/jpeg;base64,…", …]
    check_size(pictures, "Which sign …?", limit_mb=20)  # RunError where the endpoint would refuse it
"""

import base64
import io
from collections.abc import Sequence

from hlvid.errors import RunError
from hlvid.video.picture import Picture


def encode(frames: Picture, image_format: str, quality: int) -> list[str]:
    """A data URL for each frame of uint8 (T, H, W, 3). JPEG keeps full colour resolution (4:4:4)."""
    from PIL import Image

    urls = []
    for frame in frames:
        file = io.BytesIO()
        if image_format == "jpeg":
            Image.fromarray(frame).save(file, "JPEG", quality=quality, subsampling=0)
        else:
            Image.fromarray(frame).save(file, "PNG")
        urls.append(f"data:image/{image_format};base64,{base64.b64encode(file.getvalue()).decode('ascii')}")
    return urls


def check_size(pictures: Sequence[str], prompt: str, limit_mb: float) -> int:
    """Bytes of the request, nearly. Raises RunError above `limit_mb` (10^6 bytes), saying what would fit."""
    size = sum(map(len, pictures)) + len(prompt.encode())
    if size > limit_mb * 1e6:
        fits = int(len(pictures) * limit_mb * 1e6 / size)
        raise RunError(
            f"a request of {size / 1e6:.1f} MB is above max_request_mb={limit_mb:g}; ask for fewer frames "
            f"(about {fits} fit), a smaller resolution or quality, or raise the limit if the endpoint allows"
        )
    return size
