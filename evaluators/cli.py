"""The commands that `evaluators` adds to `hlvid`: demo, gaze, doctor.

Example::

    hlvid demo --out demo
    hlvid gaze talk.mp4 --selector detail --ratio 0.1 --out gaze/
"""

from pathlib import Path
from typing import Annotated

import typer


def mount(app: typer.Typer) -> None:
    """Add this package's commands to the roof; what they need is imported when they run."""
    app.command()(demo)
    app.command()(gaze)
    app.command()(doctor)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the table, figure and report.")] = Path("demo"),
    preset: Annotated[str, typer.Option(help="HLVid-Mini preset: default or tiny.")] = "default",
) -> None:
    """Evaluate generated 4K videos through lmms-eval: one table, demo.png, report.html."""
    from evaluators.demo.run import run_demo

    run_demo(out, preset)


def gaze(
    video: Annotated[Path, typer.Argument(help="Any video file.")],
    selector: Annotated[
        str, typer.Option(help="Which patches: autogaze, detail, rgb_diff, random, …")
    ] = "detail",
    ratio: Annotated[
        float | None, typer.Option(help="Gazing ratio: share of the patches, in (0, 1].")
    ] = None,
    loss: Annotated[float | None, typer.Option(help="Stop at this predicted loss (autogaze only).")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the overlay, contact sheet and JSON.")] = Path("gaze"),
    checkpoint: Annotated[str | None, typer.Option(help="AutoGaze weights: a folder or a hub id.")] = None,
    resolution: Annotated[int, typer.Option(help="Long side in px, at most the video's own.")] = 1344,
    frames: Annotated[int, typer.Option(help="Frames, spread uniformly over the video.")] = 64,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
) -> None:
    """Show where a selector looks: an overlay MP4, a contact sheet, ratios and seconds as JSON."""
    from evaluators.gaze_command import gaze_video

    gaze_video(
        video,
        selector=selector,
        ratio=ratio,
        loss=loss,
        out=out,
        checkpoint=checkpoint,
        resolution=resolution,
        frames=frames,
        device=device,
    )


def doctor() -> None:
    """Report versions, hardware and known traps of this environment; exit 1 if something is wrong."""
    from evaluators.doctor import diagnose

    if not diagnose():
        raise typer.Exit(1)
