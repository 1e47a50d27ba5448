"""`hlvid figure NAME`: a figure or table of the paper, made from records or computed here.

Example::

    hlvid figure motion --out figures               # PDF, PNG, CSV and caption
    hlvid figure --all --out figures                # everything that can be made on this machine
    hlvid figure --list
    python -m analysis selectors --videos my_clips/ # the same command under the package's own name
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.inputs import Inputs
    from analysis.write import Outcome


def mount(app: typer.Typer) -> None:
    """Add this package's commands to the roof; what they need is imported when they run."""
    from analysis.explore_cli import explore

    app.command()(figure)
    app.command()(explore)


def figure(
    names: Annotated[list[str] | None, typer.Argument(help="Figures to make; see --list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that can be made here.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Print the names and what they show.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for PDF, PNG, CSV, captions.")] = Path("figures"),
    videos: Annotated[list[Path] | None, typer.Option(help="Videos or folders; else generated.")] = None,
    images: Annotated[Path | None, typer.Option(help="Pictures for `detail`.")] = None,
    chairs: Annotated[Path | None, typer.Option(help="FlyingChairs' folder for `motion`.")] = None,
    dataset: Annotated[str, typer.Option(help="hlvid, mini or a dataset folder.")] = "mini",
    records: Annotated[list[Path] | None, typer.Option(help="Folders with runs, sweeps, latency.")] = None,
    selector: Annotated[str | None, typer.Option(help="Whose gaze; else AutoGaze if weights.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="AutoGaze weights: folder or hub id.")] = None,
    clips: Annotated[int, typer.Option(min=1, help="Clips of 16 frames to measure.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")] = 0,
) -> None:
    """Make figures and tables of the paper: PDF, PNG, CSV and caption each."""
    from analysis.inputs import Inputs

    if listing or not (names or everything):
        _print_list()
        return
    inputs = Inputs(
        videos=tuple(videos or ()), images=images, chairs=chairs, dataset=dataset,
        records=tuple(records or (Path("runs"), out)), selector=selector, checkpoint=checkpoint,
        clips=clips, seed=seed,
    )  # fmt: skip
    # The default folder of records may be absent; one that was named and is not there is a slip of the pen.
    inputs.check(named=tuple(records or ()))
    if everything:
        _all(inputs, out)
    else:
        _some(names or [], inputs, out)


def _some(names: list[str], inputs: "Inputs", out: Path) -> None:
    from analysis.registry import find
    from analysis.write import produce

    for name in names:
        find(name)  # a misspelt third name is told before the first figure's minutes
    for name in names:
        _tell(produce(name, inputs, out))


def _all(inputs: "Inputs", out: Path) -> None:
    from analysis.write import produce_all, write_index

    outcomes = produce_all(inputs, out, _tell)
    page = write_index(outcomes, out)
    made = sum(bool(outcome.files) for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    typer.echo(f"{made} of {len(outcomes)} made in {seconds:.0f} s; all on one page: {page}")
    waiting = [outcome for outcome in outcomes if outcome.missing]
    if waiting:
        typer.echo("\nWaiting for records that are not here:")
    for outcome in waiting:
        assert outcome.missing is not None
        part = " (our part of it)" if outcome.files else ""
        typer.echo(f"  {outcome.entry.name}{part}: {outcome.missing.what}\n      {outcome.missing.command}")
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(1)


def _tell(outcome: "Outcome") -> None:
    """One line as soon as a figure is done."""
    name = f"{outcome.entry.name:16}"
    if outcome.error:
        typer.echo(f"{name} FAILED: {outcome.error}", err=True)
    elif outcome.files:
        typer.echo(f"{name} {outcome.seconds:6.1f} s  {outcome.files[1]}")
    else:
        typer.echo(f"{name}    -      needs records")


def _print_list() -> None:
    from analysis.registry import ENTRIES

    for entry in ENTRIES:
        typer.echo(f"{entry.name:16} {entry.paper:24} {entry.title}")
