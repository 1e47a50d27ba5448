"""`python -m analysis NAME`: the same as `hlvid figure NAME`.

Example::

    python -m analysis motion detail --out figures
"""

import sys

import typer

from analysis.cli import figure
from hlvid.errors import HlvidError


def main() -> None:
    """Run the command; a known error is one line and a non-zero exit."""
    try:
        typer.run(figure)
    except HlvidError as error:
        typer.echo(f"analysis: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
