"""`hlvid results`: a sweep's table."""

from pathlib import Path
from typing import Annotated

import typer


def results(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep.")],
    csv: Annotated[Path | None, typer.Option(help="Also write the whole table here.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Also write the whole table here.")] = None,
) -> None:
    """Show a sweep's table: settings, accuracy with its interval, tokens, seconds."""
    from rich.console import Console

    from evaluators.sweeps.records import load, read
    from evaluators.sweeps.table import build_table
    from hlvid.errors import RunError

    for fault in read(folder)[1]:
        typer.echo(fault, err=True)
    table = load(folder)
    if table.empty:
        raise RunError(f"{folder}: no record of a sweep; run 'hlvid sweep GRID --out {folder}'")
    Console().print(build_table(table))
    for path, write in ((csv, table.to_csv), (parquet, table.to_parquet)):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, index=False)
