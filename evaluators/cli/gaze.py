"""`hlvid gaze VIDEO`: watch a selector look at a video."""

from pathlib import Path
from typing import Annotated

import typer


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
    given = locals()
    from evaluators.gaze import gaze_video

    report = gaze_video(**given)
    typer.echo(f"ratio {report['ratio']:.4f} over {len(report['frames'])} frames")
    for path in (report["overlay"], report["sheet"], report["numbers"]):
        typer.echo(f"  {path}")
