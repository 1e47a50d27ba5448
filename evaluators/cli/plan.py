"""`hlvid plan`: tiles, tokens and gigabytes of a setting, before anything is loaded."""

from typing import Annotated

import typer


def plan(
    frames: Annotated[int, typer.Option(help="Uniform frames, a multiple of 16.")] = 80,
    resolution: Annotated[int, typer.Option(help="Long side of the frames in px.")] = 3584,
    ratio: Annotated[
        str, typer.Option(help="Gazing ratio of tiles: a number, or a sum of runs for 16 frames.")
    ] = "0.2+0.06x15",
    thumbnails: Annotated[
        int | None, typer.Option(help="Whole frames beside the tiles; by default 64, or all if fewer.")
    ] = None,
    thumbnail_ratio: Annotated[str, typer.Option(help="Gazing ratio of thumbnails.")] = "1",
    max_tiles: Annotated[int, typer.Option(help="Tiles of a frame, at most.")] = 48,
    batch: Annotated[int, typer.Option(help="Clips gazed at and encoded at a time.")] = 16,
    shape: Annotated[str, typer.Option(help="Model shape: tiny, mini, mini-video, base or 8b.")] = "8b",
    gpu_gb: Annotated[float, typer.Option(help="Memory of the GPU, in 1e9 bytes.")] = 80.0,
    dtype: Annotated[str, typer.Option(help="bfloat16, float16 or float32.")] = "bfloat16",
    aspect: Annotated[str, typer.Option(help="Aspect ratio of the video.")] = "16:9",
) -> None:
    """Tell tiles, tokens and gigabytes of a setting beforehand; exit 1 if it does not fit."""
    given = locals()
    from evaluators.profiling.plan_table import PlanRequest, show_plan

    if not show_plan(PlanRequest.read(given)):
        raise typer.Exit(1)
