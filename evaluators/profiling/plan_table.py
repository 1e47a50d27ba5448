"""What `hlvid plan` prints: the plan as a table, and in words what will not fit and what would."""

from dataclasses import replace

from rich.console import Console
from rich.table import Table

from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.presets import SHAPES, shape
from autogaze.nvila.settings import CLIP_FRAMES, VideoSettings
from evaluators.core.memory import GB
from evaluators.models.nvila.arguments import parse_ratio
from evaluators.profiling.plan import ITEMSIZE, OVERHEAD, Plan, largest_fit, make_plan
from hlvid.errors import RunError

THUMBNAILS = 64
MOST_FRAMES, MOST_TILES = 10**9, 4096
BOUND = (
    "These are upper bounds, for gazing that never stops early; a loss requirement (task_loss_requirement_tile) "
    "lowers them by what it saves, which only a run can tell."
)


def show_plan(
    *,
    frames: int,
    resolution: int,
    ratio: str,
    thumbnails: int | None = None,
    thumbnail_ratio: str = "1",
    max_tiles: int = 48,
    batch: int = 16,
    shape_name: str = "8b",
    gpu_gb: float = 80.0,
    dtype: str = "bfloat16",
    aspect: str = "16:9",
    console: Console | None = None,
) -> bool:
    """Print the plan for one video; True when context and memory are enough.

    thumbnails: 64, or all of fewer frames, where it is None. resolution: long side in pixels. aspect: width:height.
    Raises RunError naming the option and what is allowed.
    """
    console = console or Console()
    config = _shape(shape_name)
    if dtype not in ITEMSIZE:
        raise RunError(f"plan: dtype is {dtype!r}; allowed: {', '.join(ITEMSIZE)}")
    if not gpu_gb > 0:
        raise RunError(f"plan: --gpu-gb is {gpu_gb}; allowed: numbers above 0")
    thumbnails = min(THUMBNAILS, frames) if thumbnails is None else thumbnails
    settings = _settings(frames, thumbnails, ratio, thumbnail_ratio, max_tiles, batch)
    width, height = _size(resolution, aspect)
    # Tiles beyond the resolution asked would only magnify it.
    across, down = (max(1, round(side / config.tile)) for side in (width, height))
    settings = replace(settings, max_tiles_video=min(max_tiles, across * down))
    plan = make_plan(config, settings, width, height, dtype)
    console.print(_heading(plan, settings, shape_name, dtype), soft_wrap=True, highlight=False)
    console.print(_table(plan, gpu_gb))
    if across * down > max_tiles:
        console.print(_capped(plan, (width, height), max_tiles), soft_wrap=True, highlight=False)
    for line in verdict(plan, config, settings, (width, height), dtype, gpu_gb):
        console.print(line, soft_wrap=True, highlight=False)
    return plan.fits(gpu_gb * GB)


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


def _shape(name: str) -> NVILAConfig:
    if name not in SHAPES:
        raise RunError(f"plan: shape is {name!r}; allowed: {', '.join(SHAPES)}")
    return shape(name)


def _settings(
    frames: int, thumbnails: int, ratio: str, thumbnail_ratio: str, max_tiles: int, batch: int
) -> VideoSettings:
    for name, value, low, high, step in (
        ("frames", frames, CLIP_FRAMES, MOST_FRAMES, CLIP_FRAMES),
        ("max-tiles", max_tiles, 1, MOST_TILES, 1),
        ("batch", batch, 1, MOST_TILES, 1),
    ):
        if not low <= value <= high or value % step:
            kind = f"multiples of {step}" if step > 1 else "whole numbers"
            raise RunError(f"plan: --{name} is {value}; allowed: {kind} from {low} to {high:,}")
    if not 0 <= thumbnails <= frames:
        raise RunError(
            f"plan: --thumbnails is {thumbnails}; they are taken from the frames, so 0 to {frames} are allowed "
            f"with --frames {frames}"
        )
    try:
        return VideoSettings(
            num_video_frames=frames,
            num_video_frames_thumbnail=thumbnails,
            max_tiles_video=max_tiles,
            gazing_ratio_tile=parse_ratio(ratio, "--ratio"),
            gazing_ratio_thumbnail=parse_ratio(thumbnail_ratio, "--thumbnail-ratio"),
            task_loss_requirement_tile=None,
            task_loss_requirement_thumbnail=None,
            max_batch_size_autogaze=batch,
        )
    except ValueError as error:
        raise RunError(f"plan: {_by_option(str(error))}") from error


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


def _size(resolution: int, aspect: str) -> tuple[int, int]:
    parts = aspect.split(":")
    if len(parts) != 2 or not all(part.isdigit() and int(part) for part in parts):
        raise RunError(f"plan: aspect is {aspect!r}; allowed: width:height, such as 16:9")
    if resolution < 1:
        raise RunError(f"plan: resolution is {resolution}; allowed: pixels of the long side, from 1")
    wide, high = (int(part) for part in parts)
    scale = resolution / max(wide, high)
    return max(1, round(wide * scale)), max(1, round(high * scale))


def _heading(plan: Plan, settings: VideoSettings, name: str, dtype: str) -> str:
    grid, load = plan.grid, plan.load
    return (
        f"{name} in {dtype}: {settings.num_video_frames} frames in {grid.columns} x {grid.rows} tiles of "
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
