"""Frames as pictures in a request, of the size and quality that were asked; never smaller to make them fit."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from evaluators.models.frames.delivery import Delivery
from evaluators.models.openai.settings import ApiSettings
from hlvid.video.picture import Picture

LEAST_PIXELS = 4 * 28 * 28
"""The smallest picture that Qwen's processors leave as it is."""


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


def asking(
    settings: ApiSettings,
    content: list[dict[str, Any]],
    generation: Mapping[str, Any],
    told: Mapping[str, Any],
) -> dict[str, Any]:
    """The body of a chat completion with this content; `told` to the server beside it."""
    drawn = generation.get("temperature") and generation.get("top_p") not in (None, 1)
    body: dict[str, Any] = {
        settings.token_field: settings.max_new_tokens or generation.get("max_new_tokens", 64),
        **({"temperature": generation.get("temperature") or 0} if settings.send_temperature else {}),
        **({"top_p": generation["top_p"]} if drawn else {}),
        **({"reasoning_effort": settings.reasoning_effort} if settings.reasoning_effort else {}),
        **told,
        **(settings.extra_body or {}),
    }
    return {"model": settings.model, "messages": [{"role": "user", "content": content}], **body}


def server_side(settings: ApiSettings, delivery: Delivery) -> dict[str, Any]:
    """What a server of ours is told of the frames: to keep their pixels, their number and their times.

    A processor caps the pixels of a picture, or of a whole video (Qwen3-VL); vLLM takes the first 32 frames of a
    video unless told how many there are.
    """
    height, width = delivery.size
    video = settings.send == "video"
    most, least = height * width * (delivery.count if video else 1), min(LEAST_PIXELS, height * width)
    told: dict[str, Any] = {}
    if settings.pixel_cap == "size":
        told["mm_processor_kwargs"] = {"size": {"shortest_edge": least, "longest_edge": most}}
    elif settings.pixel_cap == "max_pixels":
        told["mm_processor_kwargs"] = {"min_pixels": least, "max_pixels": most}
    if video:
        told["media_io_kwargs"] = {
            "video": {
                "num_frames": delivery.count,
                "fps": delivery.fps,
                "frames_indices": list(delivery.indices),
                "total_num_frames": delivery.total,
                "duration": delivery.duration,
            }
        }
    return told


def shown(settings: ApiSettings, pictures: Sequence[str]) -> list[dict[str, Any]]:
    """A video's frames as parts of a message; they go first, so that questions on one video share their beginning."""
    if settings.send == "video":
        frames = ",".join(url.partition(",")[2] for url in pictures)
        return [{"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{frames}"}}]
    return [{"type": "image_url", "image_url": {"url": url, "detail": settings.detail}} for url in pictures]


def size_of(body: Mapping[str, Any]) -> int:
    """Bytes of the request, nearly: its pictures and its text."""
    size = 0
    for part in body["messages"][0]["content"]:
        value = part.get("text") or (part.get("image_url") or part["video_url"])["url"]
        size += len(value.encode())
    return size
