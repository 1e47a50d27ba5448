"""`hlvid doctor`: what this environment is, and what in it has to be mended."""

import typer


def doctor() -> None:
    """Report versions, hardware and known traps of this environment; exit 1 if something is wrong."""
    from evaluators.doctor import diagnose

    if not diagnose():
        raise typer.Exit(1)
