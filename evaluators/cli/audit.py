"""`hlvid audit`: what a run's model was really shown."""

from pathlib import Path
from typing import Annotated

import typer


def audit(
    run: Annotated[Path, typer.Argument(help="Folder of a run, its samples, or its journal.")],
) -> None:
    """Print the frames that were asked, decoded and seen by the model; exit 1 where they differ."""
    from rich.console import Console

    from evaluators.models.frames.audit import EXACT, SENT, read_run, table

    rows = read_run(run)
    Console().print(table(rows, title=str(run)))
    if any(row["verdict"] not in (EXACT, SENT) for row in rows):
        raise typer.Exit(1)
