"""`hlvid recipes`: the models of Table 1, and ours."""

from typing import Annotated

import typer


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
