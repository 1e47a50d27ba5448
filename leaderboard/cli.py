"""The commands that `leaderboard` adds to `hlvid`: submit; compare and rescore are in `compare_cli`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hlvid.errors import RunError
from leaderboard import compare_cli


def mount(app: typer.Typer) -> None:
    """Add this package's commands to the roof; what they need is imported when they run."""
    app.command(rich_help_panel="Publish")(submit)
    compare_cli.mount(app)


def submit(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="A run's output folder, lmms-eval samples, a .csv/.tsv/.jsonl table, or a submission."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Name shown in the table.")] = None,
    revision: Annotated[str | None, typer.Option(help="Commit, tag or API version of the model.")] = None,
    openness: Annotated[str | None, typer.Option(help="open_source, open_weights or closed.")] = None,
    parameters: Annotated[float | None, typer.Option(help="Parameters in billions.")] = None,
    link: Annotated[str | None, typer.Option(help="Paper, model page or repository (https://…).")] = None,
    benchmark: Annotated[str | None, typer.Option(help="hlvid, hlvid_mini, videomme, …")] = None,
    dataset_revision: Annotated[str | None, typer.Option(help="Version of the questions.")] = None,
    frames: Annotated[int | None, typer.Option(help="Frames a question, at most.")] = None,
    resolution: Annotated[int | None, typer.Option(help="Long side in px of the frames really seen.")] = None,
    selector: Annotated[str | None, typer.Option(help="Patch selector, where there is one.")] = None,
    ratio: Annotated[float | None, typer.Option(help="Gazing ratio, above 0 and up to 1.")] = None,
    decoder: Annotated[str | None, typer.Option(help="What decoded the video, with its version.")] = None,
    hardware: Annotated[str | None, typer.Option(help='For example "1 x NVIDIA H200".')] = None,
    training_data: Annotated[str | None, typer.Option(help="What the model was trained on.")] = None,
    seen_videos: Annotated[
        str | None, typer.Option(help="Whether it was trained on the videos: no, unknown or yes.")
    ] = None,
    contact: Annotated[str | None, typer.Option(help="A name, handle or link for questions.")] = None,
    claimed: Annotated[float | None, typer.Option(help="A number of yours in %, shown as claimed.")] = None,
    reproduces: Annotated[str | None, typer.Option(help="The submission that this run repeats.")] = None,
    notes: Annotated[str | None, typer.Option(help="Anything a reader should know.")] = None,
    name: Annotated[str | None, typer.Option(help="Folder name; by default from the model.")] = None,
    out: Annotated[Path, typer.Option(help="Where the submission is written.")] = Path("hlvid-submission"),
    repo: Annotated[
        Path | None, typer.Option(help="Clone of the results repository; default: this one.")
    ] = None,
    push: Annotated[bool, typer.Option("--push", help="Push the branch and open the pull request.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --push: do not ask first.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema and exit.")] = False,
) -> None:
    """Check and score a run or table offline, show where it would stand, prepare branch and pull request."""
    if schema:
        from leaderboard.format.schema_docs import schema_text

        typer.echo(schema_text(), nl=False)
        return
    from leaderboard.benchmarks import benchmark_of
    from leaderboard.format.schema import nested

    if source is None:
        raise typer.BadParameter(
            "give a run folder, samples file, table or submission folder", param_hint="SOURCE"
        )
    fields = {
        "benchmark": benchmark and (benchmark_of(benchmark.lower()) or benchmark),
        "dataset_revision": dataset_revision,
        "model.name": model,
        "model.revision": revision,
        "model.openness": openness,
        "model.parameters_b": parameters,
        "model.link": link,
        "settings.frames": frames,
        "settings.resolution": resolution,
        "settings.selector": selector,
        "settings.gazing_ratio": ratio,
        "settings.decoder": decoder,
        "cost.hardware": hardware,
        "training_data": training_data,
        "seen_videos": seen_videos,
        "contact": contact,
        "claimed_accuracy_percent": claimed,
        "reproduces": reproduces,
        "notes": notes,
    }
    _submit(source, out, nested(fields), name, repo, push, yes)


def _submit(
    source: Path,
    out: Path,
    given: Mapping[str, Any],
    name: str | None,
    repo: Path | None,
    push: bool,
    yes: bool,
) -> None:
    from leaderboard.board import SUBMISSIONS
    from leaderboard.submit import branch as git
    from leaderboard.submit.packing import branch_for, describe, prepare, published

    repository = git.results_repository(repo or Path.cwd())
    if repository is None and (repo is not None or push):
        raise RunError(_no_repository(repo))
    ready = prepare(source, out, given, name, repository / git.PLACE if repository else SUBMISSIONS)
    typer.echo(describe(ready))
    typer.echo(published(ready))
    typer.echo(f"Submission: {ready.folder}\nPull-request text: {ready.body}")
    if repository is None:
        typer.echo(
            f"To send it: copy the folder to {ready.target} of the results repository; --repo prepares a branch."
        )
        return
    branch = branch_for(ready, repository)
    typer.echo(f"Branch: {branch.name} on {branch.base} ({branch.commit[:12]}); your checkout is as it was")
    typer.echo(f"Its commit names you as {branch.author}, which becomes public, too (git config user.email)")
    if push:
        if not yes:
            typer.confirm("Publish what is shown above?", abort=True)
        typer.echo(git.push(repository, branch, ready.title, ready.body))
    else:
        typer.echo("Nothing was pushed. To send it (or add --push):")
        for command in git.push_commands(repository, branch, ready.title, ready.body):
            typer.echo(f"  {command}")


def _no_repository(repo: Path | None) -> str:
    """Why there is no clone to prepare a branch in, and what to do about what was really asked for."""
    from leaderboard.submit import branch as git

    if repo is None:
        return f"{Path.cwd()}: no git clone with {git.PLACE}/; give --repo, or leave --push out"
    problem = f"is no git clone with {git.PLACE}/ in it" if repo.is_dir() else "no such folder"
    return f"--repo {repo}: {problem}; give a clone of the results repository, or leave --repo out"
