"""`hlvid board`: the public page, as files or on this machine with a form to check submissions."""

from pathlib import Path
from typing import Annotated

import typer

from hlvid.errors import RunError

board = typer.Typer(
    no_args_is_help=True, help="The leaderboard's page: build it, or serve it with an upload form."
)
Submissions = Annotated[Path | None, typer.Option(help="Folder of BENCHMARK/NAME/; default: this clone's.")]


def mount(app: typer.Typer) -> None:
    """Add the commands to the roof; what they need is imported when they run."""
    app.add_typer(board, name="board", rich_help_panel="Publish")


@board.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder to write; made anew each time.")] = Path("site"),
    submissions: Submissions = None,
    url: Annotated[str | None, typer.Option(help="The site's address, for links in the feed.")] = None,
    repository: Annotated[
        str | None, typer.Option(help="Address of the results repository, to link it.")
    ] = None,
) -> None:
    """Make the static site from the submissions; works from disk, without a network."""
    from leaderboard.site.build import build as make

    site = make(out, _with_submissions(submissions), url=url, repository=repository)
    refused = f", {site.refused} not shown (see its page of datasets)" if site.refused else ""
    typer.echo(f"{site.entries} entries on {site.pages} pages{refused}, in {site.seconds:.1f} s")
    typer.echo(f"Open {site.folder / 'index.html'}")


@board.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    host: Annotated[
        str, typer.Option(help="Address; the default is reached from this machine alone.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(envvar="HLVID_BOARD_TOKEN", help="Password; needed with a --host that others reach."),
    ] = None,
    submissions: Submissions = None,
) -> None:
    """Serve the site on this machine with a form that checks, scores and hands back a submission."""
    from leaderboard.site.server import run

    run(_with_submissions(submissions), host, port, token)


@board.command()
def lock(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 where a score moved.")
    ] = False,
) -> None:
    """Write scores.lock, which shows in a change's difference what every entry scores; prints what moved."""
    from leaderboard import lock as scores

    found = scores.moved() if check else scores.write()
    typer.echo("\n".join(found) if found else "No score moved.")
    if check and found:
        raise typer.Exit(1)


def _with_submissions(given: Path | None) -> Path:
    """The folder to show. An empty page in place of the board that was there is nobody's wish, so it is refused."""
    from leaderboard.benchmarks import TITLES
    from leaderboard.board import SUBMISSIONS, submission_folders

    root = given or SUBMISSIONS
    if not root.is_dir():
        problem = "is a file" if root.exists() else "no such folder"
        raise RunError(f"--submissions {root}: {problem}; give the folder that holds BENCHMARK/NAME/")
    if not any(one.is_dir() and one.parent.name in TITLES for one in submission_folders(root)):
        layout = f"BENCHMARK/NAME/submission.toml in it, BENCHMARK one of {', '.join(TITLES)}"
        raise RunError(f"--submissions {root}: holds no submission; expected is {layout}")
    return root
