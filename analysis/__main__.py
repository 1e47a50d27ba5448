"""`python -m analysis NAME`: the same as `hlvid figure NAME`.

Example::

    python -m analysis motion detail --out figures
"""

import os
import sys

import typer

from analysis.cli import figure
from hlvid.errors import HlvidError


def main() -> None:
    """Run the command; a known error is one line and a non-zero exit."""
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "10")  # a log file needs no line a clip
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(figure)
    try:
        app()
    except HlvidError as error:
        typer.echo(f"analysis: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
