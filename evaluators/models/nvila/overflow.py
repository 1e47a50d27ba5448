"""What is recorded when a question cannot be answered because the setting is too large for context or memory.

The answer's text is empty, so the task counts it as unparsed, and the run goes on.
"""

from typing import Any

from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.model import ContextOverflowError
from autogaze.nvila.settings import CLIP_FRAMES, VideoSettings
from evaluators.core.base import Answer
from evaluators.core.outcomes import MEMORY, OVERFLOW
from evaluators.profiling.plan import OVERHEAD, PROMPT_TOKENS, largest_fit, make_plan
from hlvid.errors import first_line

Size = tuple[int, int]
"""Width and height in pixels."""


def overflow(
    error: ContextOverflowError, config: NVILAConfig, settings: VideoSettings, size: Size, reserve: int
) -> Answer:
    """reserve: tokens kept for prompt and answer.

    fits: what surely fits by the ratios' upper bounds, or the frames that were seen to fit, if more.
    """
    fits = fitting(config, settings, size, "float32", None, reserve)
    seen = error.chunks * CLIP_FRAMES
    if seen > (fits or {}).get("num_video_frames", 0) or (seen and fits is None):
        thumbs = settings.num_video_frames_thumbnail * seen // settings.num_video_frames
        fits = {
            "num_video_frames": seen,
            "num_video_frames_thumbnail": thumbs,
            "max_tiles_video": settings.max_tiles_video,
        }
    return Answer(
        "",
        {
            "outcome": OVERFLOW,
            "message": str(error),
            "tokens_needed_at_least": error.tokens,
            "tokens_allowed": error.limit,
            "fits": fits,
        },
    )


def out_of_memory(
    error: BaseException, config: NVILAConfig, settings: VideoSettings, size: Size, dtype: str, there: int
) -> Answer:
    """there: bytes of the device.

    fits: by `hlvid plan`'s count, and in any case a tenth below what was tried: others may use the device.
    """
    tried = make_plan(config, settings, *size, dtype).peak.total
    there_now = min(there, int(0.9 * tried + OVERHEAD))
    return Answer(
        "",
        {
            "outcome": MEMORY,
            "message": first_line(error),
            "device_gb": round(there / 1e9, 2),
            "fits": fitting(config, settings, size, dtype, there_now),
        },
    )


def fitting(
    config: NVILAConfig,
    settings: VideoSettings,
    size: Size,
    dtype: str,
    there: int | None,
    reserve: int = PROMPT_TOKENS,
) -> dict[str, Any] | None:
    """The largest setting that fits, as arguments of `--model_args`; None where none does."""
    less = largest_fit(config, settings, *size, dtype, there, reserve)
    if less is None:
        return None
    names = ("num_video_frames", "num_video_frames_thumbnail", "max_tiles_video")
    return {name: getattr(less, name) for name in names}
