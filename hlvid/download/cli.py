"""`hlvid data`: what of the benchmarks is on this machine, and fetching the rest.

`hlvid download` is `hlvid data prepare hlvid`; `hlvid verify` opens HLVid's videos.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

MAX_LISTED = 20

# The options of every download, here and in `hlvid download`.
Videos = Annotated[
    list[str] | None, typer.Option(help="Only these video files (repeatable, or commas between them).")
]
Questions = Annotated[list[str] | None, typer.Option(help="Only the videos of these question ids (HLVid).")]
Category = Annotated[str | None, typer.Option(help="Only this category (HLVid): av or household.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder; by default below the first data root (HLVID_DATA), where runs look for it."),
]
Mirror = Annotated[
    Path | None, typer.Option("--from", help="A folder laid out like the hub's repository, not the hub.")
]
Revision = Annotated[str | None, typer.Option(help="Commit of the hub; by default the one pinned or held.")]
NoVideos = Annotated[
    bool, typer.Option("--no-videos", help="Question files only: enough to score answers, not to ask.")
]
Workers = Annotated[int, typer.Option(help="Files fetched at the same time.")]

data = typer.Typer(no_args_is_help=True, help="The benchmarks' data: what is here, and fetching it.")


def mount(app: typer.Typer) -> None:
    """Add `data` to the roof."""
    app.add_typer(data, name="data", rich_help_panel="Get data")


@data.command()
def status(
    benchmark: Annotated[str | None, typer.Argument(help="A benchmark or a task; all by default.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Open every video, not only look for it.")] = False,
) -> None:
    """Show what is here, what is missing and how big it is; exit 1 if a benchmark asked for is not ready."""
    from rich.console import Console

    from hlvid.download.status import status as look
    from hlvid.download.status import table
    from hlvid.paths import data_roots

    found = look(benchmark, deep)
    Console().print(table(found))
    for one in found if benchmark else []:
        lines = [f"missing: {name}" for name in one.missing] + [f"broken: {what}" for what in one.broken]
        for line in lines[:MAX_LISTED]:
            typer.echo(f"{one.task}: {line}")
    roots = ", ".join(map(str, data_roots()))
    typer.echo(f"Looked in {roots} (HLVID_DATA), then lmms-eval's folders and the hub's cache (HF_HOME).")
    if not all(one.ready for one in found):
        typer.echo("To fetch what a task needs: hlvid data prepare TASK")
    if benchmark and not all(one.ready for one in found):
        raise typer.Exit(1)


@data.command()
def prepare(
    benchmark: Annotated[str, typer.Argument(help="A benchmark, or a task for that task's videos only.")],
    videos: Videos = None,
    questions: Questions = None,
    category: Category = None,
    out: Out = None,
    mirror: Mirror = None,
    revision: Revision = None,
    workers: Workers = 4,
    no_videos: NoVideos = False,
) -> None:
    """Fetch the questions and the videos they need; kill it when you like and run it again to go on."""
    bring(benchmark, source=mirror, out=out, revision=revision, videos=videos, questions=questions,
          category=category, workers=workers, no_videos=no_videos)  # fmt: skip


def bring(benchmark: str, **choice: Any) -> None:
    """Fetch, say what came, and exit 1 where the repository lacks a video."""
    from hlvid.download.fetch import get

    report = get(benchmark, **choice)
    typer.echo(report.summary())
    if report.missing:
        raise typer.Exit(1)
