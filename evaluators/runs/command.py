"""What `hlvid eval` does with a `RunSpec`: say what it takes, or run it, show its table and write its report."""

from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from evaluators.core.outcomes import OK
from evaluators.runs.run import execute
from evaluators.runs.spec import RunSpec
from evaluators.runs.table import build_table
from hlvid.tasks.plugin import task_names


def dry_run(spec: RunSpec, console: Console | None = None) -> bool:
    """Print what would run; False where it could not start."""
    from evaluators.runs.forecast import forecast, show

    found = forecast(spec)
    show(found, console or Console())
    return found.ready


def evaluate(
    spec: RunSpec,
    folder: Path,
    *,
    timeout: float | None = None,
    again: Collection[str] = (),
    report: bool = True,
    processes: int = 1,
    gpus: bool = False,
    console: Console | None = None,
) -> bool:
    """Run it, print the table with its intervals; False unless the status is ok."""
    console = console or Console()
    said = f"lmms_eval {' '.join(spec.argv(folder)[:-5])}"
    console.print(f"{said}\nfolder: {folder}", highlight=False, soft_wrap=True)
    results = execute(
        spec, folder, timeout=timeout, total=_total(spec), again=again, processes=processes, gpus=gpus
    )
    if results["questions"] is not None:
        console.print(build_table(results))
    if results["status"] != OK:
        console.print(f"{results['status']}: {results['message']}", highlight=False, soft_wrap=True)
    if report and results["questions"] is not None:
        from evaluators.runs.report import write_report

        console.print(f"report: {write_report(folder)}", highlight=False, soft_wrap=True)
    return bool(results["status"] == OK)


def _total(spec: RunSpec) -> int | None:
    """Questions of the run, for the progress; None for a task that is not ours or whose data are not here."""
    from evaluators.runs.data import data_of

    if spec.task not in task_names():
        return None
    counts = [one.questions for one in data_of(spec.task)]
    known = [min(count, spec.limit or count) for count in counts if count is not None]
    return spec.repeats * sum(known) if len(known) == len(counts) else None
