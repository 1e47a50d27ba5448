"""The `hlvid` command: the roof over all packages.

Commands import what they need when they run, so `hlvid --help` needs neither torch nor av. Errors that a user
can mend are printed as one line and exit with 1; Ctrl-C exits with 130.
"""

import os
import sys
import warnings
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from hlvid import __version__
from hlvid.download.cli import Category, Mirror, NoVideos, Out, Questions, Revision, Videos, Workers, bring
from hlvid.errors import HlvidError, of_path
from hlvid.threads import wait_passively

GROUPS = ("Get data", "Evaluate", "Compare", "Look", "Publish", "Train", "This machine")
"""The order of the commands' groups in `hlvid --help`; a command names its own (`rich_help_panel`)."""


class GroupedHelp(TyperGroup):
    """Commands under the headings of their groups, in the order of `GROUPS`, others last."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        found: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for name, command in sorted(self.commands.items()):
            group = getattr(command, "rich_help_panel", None)
            found.setdefault(group if isinstance(group, str) else "Others", []).append(
                (name, command.get_short_help_str(limit=300))
            )
        for group, rows in found.items():
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)


app = typer.Typer(
    cls=GroupedHelp,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Evaluation suite for high-resolution, long-form video understanding.",
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"hlvid {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(rich_help_panel="Get data")
def mini(
    preset: Annotated[
        str,
        typer.Option(help="default (8 videos), tiny, study (24 short ones), long (12 of a minute), full."),
    ] = "default",
    seed: Annotated[int, typer.Option(help="Another seed gives other pixels, questions and answers.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="Short for --preset full.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder; by default below the data folder.")] = None,
) -> None:
    """Make HLVid-Mini: real 4K H.264 videos with questions and evidence boxes, deterministic by seed."""
    from hlvid.mini import make

    folder = make(out, preset="full" if full else preset, seed=seed)
    typer.echo(f"HLVid-Mini is at {folder}")


@app.command(rich_help_panel="Get data")
def download(
    out: Out = None,
    videos: Videos = None,
    questions: Questions = None,
    category: Category = None,
    mirror: Mirror = None,
    revision: Revision = None,
    workers: Workers = 4,
    no_videos: NoVideos = False,
) -> None:
    """Fetch the real HLVid (152 GB, or a subset of it); safe to kill and run again."""
    bring("hlvid", source=mirror, out=out, revision=revision, videos=videos, questions=questions,
          category=category, workers=workers, no_videos=no_videos)  # fmt: skip


@app.command(rich_help_panel="Get data")
def verify(
    source: Annotated[
        str, typer.Argument(help="hlvid, mini, a dataset folder or a question file.")
    ] = "hlvid",
    depth: Annotated[
        str, typer.Option(help="quick (ends and middle), full (every packet) or deep (every frame).")
    ] = "full",
    hashes: Annotated[
        bool, typer.Option("--hashes", help="Compare each file with the sha256 noted when it came.")
    ] = False,
) -> None:
    """Check that every question has its video and that all are sound; exit 1 if one is not."""
    from rich.console import Console

    from hlvid.download.verify import verify as check
    from hlvid.video.health import DEPTHS

    if depth not in DEPTHS:
        raise HlvidError(f"--depth is '{depth}'; allowed: {', '.join(DEPTHS)}")
    report = check(source, depth, hashes)
    Console().print(report.table())
    typer.echo(report.summary())
    if not report.ok:
        raise typer.Exit(1)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning of ours is for users and needs no line of source; others keep it, for whoever mends them."""
    if category.__module__.partition(".")[0] in (
        "hlvid",
        "autogaze",
        "evaluators",
        "leaderboard",
        "analysis",
    ):
        text = f"hlvid: warning: {message}"
    else:
        text = f"{filename}:{lineno}: {category.__name__}: {message}"
    typer.echo(text, err=True)


def mount_all(roof: typer.Typer) -> None:
    """Add the commands of every installed package that names a `mount(app)` in the entry-point group
    `hlvid.commands`: ours and others'. What does not load is one line, and the rest works."""
    for point in sorted(entry_points(group="hlvid.commands"), key=lambda point: point.name):
        try:
            point.load()(roof)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            typer.echo(f"hlvid: warning: commands of {point.name} ({point.value}) left out: {why}", err=True)


def main() -> None:
    """Console entry: run the command line and turn known errors into one line and a non-zero exit."""
    wait_passively()
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "10")  # a log file needs no line a frame
    warnings.showwarning = _warn
    mount_all(app)
    try:
        app()
    except HlvidError as error:
        typer.echo(f"hlvid: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        message = of_path(error)
        if message is None:
            raise
        typer.echo(f"hlvid: {message}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("hlvid: interrupted; what was finished is kept, run the same command to go on", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
