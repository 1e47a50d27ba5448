"""What `hlvid plan` prints: the plan as a table, and in words what will not fit and what would."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from pydantic.dataclasses import dataclass as checked
from rich.console import Console
from rich.table import Table

from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.presets import SHAPES, shape
from autogaze.nvila.settings import CLIP_FRAMES, CLIPS, VideoSettings
from evaluators.core.arguments import STRICT, one_of, read
from evaluators.core.memory import GB
from evaluators.models.nvila.arguments import parse_ratio
from evaluators.profiling.plan import OVERHEAD, Plan, largest_fit, make_plan
from hlvid.errors import RunError

THUMBNAILS = 64
MOST_TILES = 4096
BOUND = (
    "These are upper bounds, for gazing that never stops early; a loss requirement (task_loss_requirement_tile) "
    "lowers them by what it saves, which only a run can tell."
)


@checked(frozen=True, config=STRICT)
class PlanRequest:
    """What is to be planned.

    resolution: long side in pixels. aspect: width:height. ratio, thumbnail_ratio: a number, or a sum of runs.
    thumbnails: None for 64, or all of fewer frames. batch: clips gazed at and encoded at a time. gpu_gb: in 1e9 bytes.
    """

    frames: Annotated[int, Field(ge=CLIP_FRAMES, le=10**9, multiple_of=CLIP_FRAMES)]
    resolution: Annotated[int, Field(ge=1)]
    ratio: str
    thumbnails: int | None = None
    thumbnail_ratio: str = "1"
    max_tiles: Annotated[int, Field(ge=1, le=MOST_TILES)] = 48
    batch: Annotated[int, Field(ge=1, le=MOST_TILES)] = CLIPS
    shape: str = "8b"
    gpu_gb: Annotated[float, Field(gt=0)] = 80.0
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    aspect: str = "16:9"

    def __post_init__(self) -> None:
        one_of("plan", "shape", self.shape, SHAPES)
        if not re.fullmatch("[1-9][0-9]*:[1-9][0-9]*", self.aspect):
            raise RunError(f"plan: aspect is {self.aspect!r}; allowed: width:height, such as 16:9")
        if not 0 <= (self.thumbnails or 0) <= self.frames:
            raise RunError(
                f"plan: thumbnails is {self.thumbnails}; taken from the frames, so 0 to {self.frames} are allowed"
            )

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """From the command's options. Raises RunError naming the option and what is allowed."""
        return read(cls, "plan", given)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the video in pixels."""
        wide, high = map(int, self.aspect.split(":"))
        scale = self.resolution / max(wide, high)
        return max(1, round(wide * scale)), max(1, round(high * scale))

    def settings(self) -> VideoSettings:
        """As NVILA-HD takes them. Raises RunError for a ratio that is none."""
        thumbnails = min(THUMBNAILS, self.frames) if self.thumbnails is None else self.thumbnails
        try:
            return VideoSettings(
                num_video_frames=self.frames,
                num_video_frames_thumbnail=thumbnails,
                max_tiles_video=self.max_tiles,
                gazing_ratio_tile=parse_ratio(self.ratio, "--ratio"),
                gazing_ratio_thumbnail=parse_ratio(self.thumbnail_ratio, "--thumbnail-ratio"),
                task_loss_requirement_tile=None,
                task_loss_requirement_thumbnail=None,
                max_batch_size_autogaze=self.batch,
            )
        except ValueError as error:
            raise RunError(f"plan: {_by_option(str(error))}") from error


def show_plan(request: PlanRequest, console: Console | None = None) -> bool:
    """Print the plan for one video; True when context and memory are enough."""
    console = console or Console()
    config, size, settings = shape(request.shape), request.size, request.settings()
    # Tiles beyond the resolution asked would only magnify it.
    tiles = math.prod(max(1, round(side / config.tile)) for side in size)
    settings = replace(settings, max_tiles_video=min(request.max_tiles, tiles))
    plan = make_plan(config, settings, *size, request.dtype)
    lines: list[str | Table] = [_heading(plan, settings, request), _table(plan, request.gpu_gb)]
    if tiles > request.max_tiles:
        lines.append(_capped(plan, size, request.max_tiles))
    for line in (*lines, *verdict(plan, config, settings, size, request.dtype, request.gpu_gb)):
        console.print(line, soft_wrap=True, highlight=False)
    return plan.fits(request.gpu_gb * GB)


def verdict(
    plan: Plan, config: NVILAConfig, settings: VideoSettings, size: tuple[int, int], dtype: str, gpu_gb: float
) -> list[str]:
    """What does not fit, and the largest setting that does."""
    lines = []
    if plan.wanted > plan.context:
        lines.append(f"Does not fit: up to {plan.wanted:,} tokens in a context of {plan.context:,}.")
    for stage in plan.stages:
        need = (stage.total + OVERHEAD) / GB
        if need > gpu_gb:
            lines.append(f"Does not fit: {stage.name} takes {need:.1f} GB of {gpu_gb:g}.")
    if not lines:
        return ["All of it fits."]
    lines.append(BOUND)
    less = largest_fit(config, settings, *size, dtype, gpu_gb * GB)
    if less is None:
        return [*lines, "Nothing would: the weights alone, or one tile of 16 frames, are too much."]
    frames, tiles = less.num_video_frames, less.max_tiles_video
    thumbs = less.num_video_frames_thumbnail
    return [
        *lines,
        f"Would fit: {frames} frames, {thumbs} thumbnails, at most {tiles} tiles, at these ratios.",
    ]


def _by_option(text: str) -> str:
    """A fault of `VideoSettings` in the command's words."""
    for field, option in (("thumbnail", "--thumbnail-ratio"), ("tile", "--ratio")):
        text = text.replace(f"gazing_ratio_{field}", option)
    return text


def _capped(plan: Plan, asked: tuple[int, int], max_tiles: int) -> str:
    height, width = plan.grid.size
    return (
        f"Asked for {asked[0]:,} x {asked[1]:,} px; frames are seen at {width:,} x {height:,} px, since --max-tiles is "
        f"{max_tiles}."
    )


def _heading(plan: Plan, settings: VideoSettings, request: PlanRequest) -> str:
    grid, load = plan.grid, plan.load
    return (
        f"{request.shape} in {request.dtype}: {request.frames} frames in {grid.columns} x {grid.rows} tiles of "
        f"{grid.side} px ({grid.size[1]} x {grid.size[0]} px), "
        f"{settings.num_video_frames_thumbnail} thumbnails\n"
        f"patches {load.patches:,}; gazed at most {load.gazed:,}; for the language model at most "
        f"{load.language:,} tokens of {plan.context:,}\n"
        f"host: {plan.host / GB:.2f} GB of decoded frames"
    )


def _table(plan: Plan, gpu_gb: float) -> Table:
    table = Table(title=f"GB on the device ({gpu_gb:g} there are; {OVERHEAD / GB:g} more for the runtime)")
    for column in ("stage", "tokens at once", "weights", "kept", "working", "total"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage in plan.stages:
        sizes = (stage.weights, stage.kept, stage.working, stage.total)
        table.add_row(stage.name, f"{stage.tokens:,}", *(f"{size / GB:.2f}" for size in sizes))
    return table
