"""`hlvid figure NAME`, made from records or computed here; `hlvid explore RUN|VIDEO`, a page to watch a gaze on;
`hlvid yardstick`, which gaze reads most.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.figure import Outcome
    from analysis.inputs import Inputs


CLIPS = 24


def mount(app: typer.Typer) -> None:
    """Add this package's commands to the roof; what they need is imported when they run."""
    app.command(rich_help_panel="Look")(figure)
    app.command(rich_help_panel="Look")(explore)
    app.command(rich_help_panel="Evaluate")(yardstick)


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
    question: Annotated[str | None, typer.Option(help="What a query-aware selector looks by.")] = None,
    clips: Annotated[int, typer.Option(min=1, help="Clips of 16 frames to measure.")] = CLIPS,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")] = 0,
    gallery: Annotated[Path | None, typer.Option(help="Folder for a page of small pictures, too.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure anew what was kept.")] = False,
) -> None:
    """Make figures and tables of the paper: PDF, PNG, CSV and caption each."""
    from analysis.inputs import Inputs

    if listing or not (names or everything):
        _print_list()
        return
    inputs = Inputs(
        videos=tuple(videos or ()), images=images, chairs=chairs, dataset=dataset,
        records=tuple(records or (Path("runs"), out)), selector=selector, checkpoint=checkpoint,
        question=question, clips=clips, seed=seed, again=again,
    )  # fmt: skip
    # The default folder of records may be absent; one that was named and is not there is a slip of the pen.
    inputs.check(named=tuple(records or ()))
    outcomes = _all(inputs, out) if everything else _some(names or [], inputs, out)
    if gallery is not None:
        from analysis.gallery import write_gallery

        options = [f"--clips {clips}"] if clips != CLIPS else []
        options += [
            f"--videos {path.name}/" for path in videos or ()
        ]  # a name: folders of this machine tell nothing
        options += [f"--dataset {Path(dataset).name}"] if dataset != "mini" else []
        typer.echo(f"gallery: {write_gallery(outcomes, gallery, ' '.join(options))}")
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(1)


def explore(
    target: Annotated[Path, typer.Argument(help="A video file, or the folder of an `hlvid eval` run.")],
    out: Annotated[Path, typer.Option(help="Folder for the page.")] = Path("explore"),
    selector: Annotated[str | None, typer.Option(help="For a video; else AutoGaze if weights.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="AutoGaze weights: folder or hub id.")] = None,
    question: Annotated[str | None, typer.Option(help="What a query-aware selector looks by.")] = None,
    ratio: Annotated[float | None, typer.Option(help="Gazing ratio; 0.1 without ratio and loss.")] = None,
    loss: Annotated[float | None, typer.Option(help="Stop at this predicted loss (autogaze).")] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames to gaze at, spread over the video.")] = 48,
    resolution: Annotated[int, typer.Option(min=32, help="Long side in px, at most the video's.")] = 896,
) -> None:
    """Watch where a selector looks, along a video or a finished run: a page that needs no server."""
    from analysis.explore.build import explore as build
    from analysis.inputs import Inputs

    inputs = Inputs(selector=selector, checkpoint=checkpoint, question=question)
    inputs.check()
    page = build(target, out, inputs, ratio=ratio, loss=loss, frames=frames, width=resolution)
    typer.echo(f"open {page} in a browser")


def yardstick(
    selector: Annotated[
        list[str] | None,
        typer.Option(help="NAME or NAME,key=value; the first is what others are held against."),
    ] = None,
    untouched: Annotated[
        bool, typer.Option("--untouched", help="The set that is for the last word, never for a choice.")
    ] = False,
    videos: Annotated[Path | None, typer.Option(help="Recordings instead of HLVid-Mini.")] = None,
    records: Annotated[
        list[Path] | None, typer.Option(help="Accuracy of these runs of gaze_reader instead of recall.")
    ] = None,
    ratio: Annotated[
        list[float] | None, typer.Option(help="Gazing ratios instead of the fixed ones.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write every question's row here.")] = None,
) -> None:
    """Which gaze reads most at equal tokens: evidence recall, or accuracy of runs, with paired differences."""
    from analysis.inputs import Inputs
    from analysis.records import runs
    from analysis.studies import yardstick as study

    sets = study.Yardstick.load()
    if ratio:
        sets = sets.model_copy(update={"ratios": tuple(ratio)})
    part: study.Part = "untouched" if untouched else "development"
    if records:
        inputs = Inputs(records=tuple(records))
        inputs.check(named=inputs.records)
        table = study.accuracy(sets, runs(inputs.records, "hlvid_mini"), part)
    else:
        chosen = {name: study.selector(name, asked=videos is None) for name in selector or ("detail",)}
        table = (
            study.recall(sets, chosen, part)
            if videos is None
            else study.recall_of_recordings(sets, chosen, videos, part)
        )
    typer.echo(f"{table.question.nunique()} questions of {table.source.nunique()} recordings, {part} set\n")
    typer.echo(study.report(table))
    if csv is not None:
        table.to_csv(csv, index=False)


def _some(names: list[str], inputs: "Inputs", out: Path) -> "list[Outcome]":
    from analysis.figure import find, produce

    for name in names:
        find(name)  # a misspelt third name is told before the first figure's minutes
    outcomes = []
    for name in names:
        outcomes.append(produce(name, inputs, out))
        _tell(outcomes[-1])
    return outcomes


def _all(inputs: "Inputs", out: Path) -> "list[Outcome]":
    from analysis.figure import produce_all, write_index

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
    return outcomes


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
    from analysis.figure import ENTRIES

    for entry in ENTRIES:
        typer.echo(f"{entry.name:16} {entry.paper:24} {entry.title}")
