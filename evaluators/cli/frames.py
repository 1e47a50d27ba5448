"""`hlvid audit`: what a run's model was really shown. `hlvid recipes`: the models of Table 1, and ours."""

from pathlib import Path
from typing import Annotated

import typer


def mount(app: typer.Typer) -> None:
    """Add `audit` and `recipes` to the roof."""
    app.command(rich_help_panel="Look")(audit)
    app.command(rich_help_panel="Evaluate")(recipes)


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


def recipes(
    name: Annotated[str | None, typer.Argument(help="One recipe, in full.")] = None,
) -> None:
    """List the recipes that `hlvid eval --recipe` takes, with the frames and pixels of Table 1."""
    from rich.console import Console

    from evaluators.runs import recipes as known

    if name is not None:
        typer.echo(known.describe(known.load(name)))
        return
    Console().print(known.table())
