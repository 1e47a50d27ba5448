"""`hlvid demo`: generated 4K videos through lmms-eval, one table, one figure, one report."""

from pathlib import Path
from typing import Annotated

import typer


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
    from evaluators.demo.rows import demo_cells
    from evaluators.demo.run import run_demo

    run_demo(out, "tiny" if tiny else "default", demo_cells(full, selector or ()))
