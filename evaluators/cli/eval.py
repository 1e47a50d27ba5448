"""`hlvid eval`: one evaluation in one folder, from a recipe or from flags.

Killed and started again, it goes on where it was. The exit code is 0 only where every answer could be given.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evaluators.runs.spec import RunSpec


def evaluate(
    task: Annotated[str, typer.Option(help="An lmms-eval task or group, ours or theirs.")] = "hlvid_mini",
    model: Annotated[str | None, typer.Option(help="An lmms-eval model, ours or theirs.")] = None,
    model_args: Annotated[str, typer.Option("--model-args", help="key=value,… of the model.")] = "",
    recipe: Annotated[
        str | None, typer.Option(help="Model and settings by name; --model-args go on top.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many questions of each task.")] = None,
    seed: Annotated[int, typer.Option(help="Of Python, numpy and torch.")] = 0,
    task_args: Annotated[
        str,
        typer.Option("--task-args", help="Of our tasks: prompt=normalised, shuffle=SEED, circular=true, …."),
    ] = "",
    gen_kwargs: Annotated[
        str,
        typer.Option(
            "--gen-kwargs", help="How to answer: temperature=1,do_sample=true,max_new_tokens=128, …."
        ),
    ] = "",
    repeats: Annotated[
        int, typer.Option(help="Ask each question so often; scored as the mean, with the spread.", min=1)
    ] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; default runs/TASK-MODEL-….")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run and what it takes, and stop.")
    ] = False,
    smoke: Annotated[
        bool,
        typer.Option("--smoke", help="One question with the real settings: what is seen, what it takes."),
    ] = False,
    timeout: Annotated[float | None, typer.Option(help="End the run after so many seconds.", min=1)] = None,
    again: Annotated[
        str,
        typer.Option(help="Have these outcomes anew: out_of_memory,timeout,error,…; ok scores a run again."),
    ] = "",
    processes: Annotated[
        int, typer.Option(help="So many processes at once, each with videos of its own.", min=1)
    ] = 1,
    gpus: Annotated[int, typer.Option(help="The same, each process on a GPU of its own.", min=0)] = 0,
    with_report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = True,
) -> None:
    """Evaluate a model on a benchmark: samples, results, record and a report in one folder; safe to kill."""
    from evaluators.runs.command import dry_run as tell
    from evaluators.runs.command import evaluate as run
    from evaluators.runs.scoring import outcomes

    chosen = _spec(task, model, model_args, recipe, limit, seed)
    spec = replace(chosen, task_args=task_args, gen_kwargs=gen_kwargs, repeats=repeats)
    if dry_run:
        ready = tell(spec)
    elif smoke:
        from evaluators.runs.smoke import smoke as try_one

        ready = try_one(spec, out or Path("runs") / f"smoke-{spec.name}")
    else:
        folder = out or Path("runs") / spec.name
        count, own_card, anew = gpus or processes, gpus > 0, outcomes(again)
        ready = run(
            spec, folder, timeout=timeout, again=anew, report=with_report, processes=count, gpus=own_card
        )
    if not ready:
        raise typer.Exit(1)


def _spec(
    task: str, model: str | None, model_args: str, recipe: str | None, limit: int | None, seed: int
) -> "RunSpec":
    """From a recipe, flags, or flags on top of a recipe."""
    from evaluators.runs.spec import RunSpec, parse_model_args
    from hlvid.errors import RunError

    arguments = dict(parse_model_args(model_args))
    if recipe is not None:
        from evaluators.runs.recipes import load

        chosen = load(recipe)
        if model not in (None, chosen.model):
            raise RunError(f"recipe {recipe}: is of model {chosen.model}; leave out --model {model}")
        return RunSpec(task, chosen.runnable(), {**chosen.arguments(task), **arguments}, limit, seed)
    return RunSpec(task, model or "", arguments, limit, seed)
