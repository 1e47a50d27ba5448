"""The commands that `evaluators` adds to `hlvid`: demo, gaze, doctor, plan, make-checkpoint, convert."""

from pathlib import Path
from typing import Annotated

import typer

from evaluators.cli.convert import convert


def mount(app: typer.Typer) -> None:
    """Add this package's commands to the roof; what they need is imported when they run."""
    app.command(rich_help_panel="Evaluate")(demo)
    app.command(rich_help_panel="Look")(gaze)
    app.command(rich_help_panel="This machine")(doctor)
    app.command(rich_help_panel="This machine")(plan)
    app.command(rich_help_panel="Train")(make_checkpoint)
    app.command(rich_help_panel="Get data")(convert)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the table, figure and report.")] = Path("demo"),
    tiny: Annotated[bool, typer.Option("--tiny", help="Two short videos: does it run here?")] = False,
    full: Annotated[bool, typer.Option("--full", help="Fewer tokens and random patches, too.")] = False,
    selector: Annotated[
        list[str] | None,
        typer.Option(help="Beside the others: a selector, or package.module:Class (repeatable)."),
    ] = None,
) -> None:
    """Evaluate generated 4K videos through lmms-eval: one table, demo.png, report.html."""
    from evaluators.demo.grid import demo_settings
    from evaluators.demo.run import run_demo

    run_demo(out, "tiny" if tiny else "default", demo_settings(full=full, more=selector or ()))


def gaze(
    video: Annotated[Path, typer.Argument(help="Any video file.")],
    selector: Annotated[
        str, typer.Option(help="Which patches: autogaze, detail, rgb_diff, random, …")
    ] = "detail",
    ratio: Annotated[
        float | None,
        typer.Option(help="Gazing ratio: share of the patches, in (0, 1]; 0.1 without ratio and loss."),
    ] = None,
    loss: Annotated[float | None, typer.Option(help="Stop at this predicted loss (autogaze only).")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the overlay, contact sheet and JSON.")] = Path("gaze"),
    checkpoint: Annotated[str | None, typer.Option(help="AutoGaze weights: a folder or a hub id.")] = None,
    resolution: Annotated[int, typer.Option(help="Long side in px, at most the video's own.")] = 1344,
    frames: Annotated[int, typer.Option(help="Frames, spread uniformly over the video.")] = 64,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps; of autogaze, others need none.")] = "cpu",
    question: Annotated[
        str | None, typer.Option(help="The text asked, of a selector that looks by it.")
    ] = None,
) -> None:
    """Show where a selector looks: an overlay MP4, a contact sheet, ratios and seconds as JSON."""
    from evaluators.cli.gaze_command import gaze_video

    report = gaze_video(
        video,
        selector=selector,
        ratio=ratio,
        loss=loss,
        out=out,
        checkpoint=checkpoint,
        resolution=resolution,
        frames=frames,
        device=device,
        question=question,
    )
    typer.echo(f"ratio {report['ratio']:.4f} over {len(report['frames'])} frames")
    for path in (report["overlay"], report["sheet"], report["numbers"]):
        typer.echo(f"  {path}")


def doctor() -> None:
    """Report versions, hardware and known traps of this environment; exit 1 if something is wrong."""
    from evaluators.doctor import diagnose

    if not diagnose():
        raise typer.Exit(1)


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
    shape: Annotated[str, typer.Option(help="Model shape: tiny, base or 8b.")] = "8b",
    gpu_gb: Annotated[float, typer.Option(help="Memory of the GPU, in 1e9 bytes.")] = 80.0,
    dtype: Annotated[str, typer.Option(help="bfloat16, float16 or float32.")] = "bfloat16",
    aspect: Annotated[str, typer.Option(help="Aspect ratio of the video.")] = "16:9",
) -> None:
    """Tell tiles, tokens and gigabytes of a setting beforehand; exit 1 if it does not fit."""
    from evaluators.profiling.plan_command import show_plan

    fits = show_plan(
        frames=frames,
        resolution=resolution,
        ratio=ratio,
        thumbnails=thumbnails,
        thumbnail_ratio=thumbnail_ratio,
        max_tiles=max_tiles,
        batch=batch,
        shape_name=shape,
        gpu_gb=gpu_gb,
        dtype=dtype,
        aspect=aspect,
    )
    if not fits:
        raise typer.Exit(1)


def make_checkpoint(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    shape: Annotated[str, typer.Option(help="Model shape: tiny, base or 8b.")] = "tiny",
    seed: Annotated[int, typer.Option(help="Of the random weights.")] = 0,
) -> None:
    """Write an NVILA-HD checkpoint with random weights: runs everything, knows nothing, needs no download."""
    from autogaze.nvila.answering import make_checkpoint as make
    from hlvid.errors import RunError

    try:
        folder = make(out, shape, seed)
    except ValueError as error:
        raise RunError(f"make-checkpoint: {error}") from error
    typer.echo(f"{folder}: shape {shape}, random weights; run it with --model nvila_hd")
    typer.echo(f"  lmms_eval --tasks hlvid_mini --model nvila_hd --model_args pretrained={folder}")
