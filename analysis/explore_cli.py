"""`hlvid explore RUN|VIDEO`: a page, opened from disk, on which to watch the gaze along a video.

Example::

    hlvid explore talk.mp4 --ratio 0.1 --out explore && xdg-open explore/index.html
    hlvid explore runs/mini-detail --out explore        # a run of `hlvid eval`: its questions and answers, too
"""

from pathlib import Path
from typing import Annotated

import typer


def explore(
    target: Annotated[Path, typer.Argument(help="A video file, or the folder of an `hlvid eval` run.")],
    out: Annotated[Path, typer.Option(help="Folder for the page.")] = Path("explore"),
    selector: Annotated[str | None, typer.Option(help="For a video; else AutoGaze if weights.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="AutoGaze weights: folder or hub id.")] = None,
    ratio: Annotated[float | None, typer.Option(help="Gazing ratio; 0.1 without ratio and loss.")] = None,
    loss: Annotated[float | None, typer.Option(help="Stop at this predicted loss (autogaze).")] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames to gaze at, spread over the video.")] = 48,
    resolution: Annotated[int, typer.Option(min=32, help="Long side in px, at most the video's.")] = 896,
) -> None:
    """Watch where a selector looks, along a video or a finished run: a page that needs no server."""
    from analysis.explore.build import explore as build
    from analysis.inputs import Inputs

    inputs = Inputs(selector=selector, checkpoint=checkpoint)
    inputs.check()
    page = build(target, out, inputs, ratio=ratio, loss=loss, frames=frames, width=resolution)
    typer.echo(f"open {page} in a browser")
