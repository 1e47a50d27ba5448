"""`hlvid sweep`: a grid of evaluations that can be killed at any moment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evaluators.sweeps.cells import Cell
    from evaluators.sweeps.runner import Launch

LAUNCHES = ("local", "ray", "slurm")


def sweep(
    grid: Annotated[str, typer.Argument(help="A YAML file, or a bundled grid: demo, mini, gaze, paper.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the sweep: records.jsonl, and a folder a cell.")
    ] = Path("sweep"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Cells, hours and disk; nothing runs.")] = False,
    like: Annotated[
        list[Path] | None, typer.Option(help="Another sweep's folder, to judge the hours by (repeatable).")
    ] = None,
    launch: Annotated[str, typer.Option(help="local, ray (an existing cluster) or slurm.")] = "local",
    jobs: Annotated[int, typer.Option(help="local: cells at a time.", min=1)] = 1,
    gpus: Annotated[float, typer.Option(help="ray: GPUs a cell.")] = 0,
    slurm: Annotated[
        list[str] | None, typer.Option(help="slurm: submitit parameters, key=value (repeatable).")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Questions a cell, instead of the grid's.", min=1)] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds a cell, instead of the grid's.", min=1)
    ] = None,
    again: Annotated[
        str, typer.Option(help="Run cells anew that ended so: out_of_memory,timeout,context_overflow,ok.")
    ] = "",
) -> None:
    """Run every cell of a grid that is not done yet; exit 1 where one ended in an error."""
    from evaluators.core.arguments import one_of
    from evaluators.runs.scoring import outcomes
    from evaluators.sweeps.grid import load_grid
    from evaluators.sweeps.records import FINAL, read
    from evaluators.sweeps.runner import Options
    from evaluators.sweeps.runner import sweep as run

    one_of("sweep", "launch", launch, LAUNCHES)
    wanted = load_grid(grid)
    if limit is not None:
        wanted = wanted.model_copy(update={"limit": limit})
    for fault in read(out)[1]:
        typer.echo(fault, err=True)
    if dry_run:
        if not _forecast(out, wanted.cells(), like or []):
            raise typer.Exit(1)
        return
    options = Options(timeout or wanted.timeout, wanted.retry, again=outcomes(again))
    ended = run(wanted, out, options, _launch(launch, out, jobs, gpus, slurm or []))
    typer.echo(f"{out}: " + ", ".join(f"{count} {status}" for status, count in ended.items()))
    typer.echo(f"  hlvid results {out}; hlvid figure scaling --records {out}")
    if set(ended) - set(FINAL) or sum(ended.values()) < len(wanted.cells()):
        raise typer.Exit(1)


def _forecast(out: Path, cells: "list[Cell]", like: list[Path]) -> bool:
    """Print what would run; False where a cell would be refused."""
    from evaluators.sweeps.estimate import forecast, refused
    from evaluators.sweeps.records import latest

    for cell in cells:
        typer.echo(f"  {cell}")
    done = latest(out)
    others = [record for folder in like for record in latest(folder)]
    found = forecast(cells, done, others)
    typer.echo(f"{found.cells} cells to run, {found.done} done; up to {found.disk / 1e9:.1f} GB of disk")
    if found.cells > found.unknown:
        typer.echo(f"about {found.hours:.1f} hours of one device for {found.cells - found.unknown} of them")
    if found.unknown:
        typer.echo(
            f"hours unknown for {found.unknown}: no earlier cell like them; --like FOLDER of another sweep"
        )
    faults = refused(cells)
    for fault in faults:
        typer.echo(f"refused: {fault}", err=True)
    return not faults


def _launch(name: str, out: Path, jobs: int, gpus: float, slurm: list[str]) -> "Launch":
    from evaluators.sweeps.launch import local, on_ray, on_slurm

    if name == "local":
        return local(jobs)
    if name == "ray":
        return on_ray(gpus=gpus)
    pairs = [item.partition("=") for item in slurm]
    parameters: dict[str, Any] = {k: int(value) if value.isdigit() else value for k, _, value in pairs}
    return on_slurm(out / "slurm", **parameters)
