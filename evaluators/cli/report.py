"""`hlvid report`: a run's page, drawn anew."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
) -> None:
    """Write a run's report.html again; it opens from disk and asks nothing of a network."""
    from evaluators.runs.report import write_report

    typer.echo(f"{write_report(folder)}")
