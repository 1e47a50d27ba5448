"""`hlvid make-checkpoint`: an NVILA-HD with random weights."""

from pathlib import Path
from typing import Annotated

import typer


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
