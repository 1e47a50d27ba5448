"""From whatever lmms-eval raises, or fails to raise, to one line that a user can act on.

lmms-eval wraps errors (tenacity's RetryError, ImportError around a YAML function) and loses others; the
cause inside is what counts.
"""

import difflib
import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hlvid.benchmarks.registry import like
from hlvid.errors import HlvidError, RunError, of_path
from hlvid.tasks import costs
from hlvid.tasks.arguments import given_arguments
from hlvid.tasks.plugin import task_names

LISTS = ("list", "list_groups", "list_subtasks", "list_tags")

# How lmms-eval words what is the user's to mend.
MISSING = "Tasks not found: "
NO_TASKS = "no tasks found"
NO_DOCS = "did not find any docs"

UNWRITABLE = (NotADirectoryError, FileExistsError, PermissionError)
"""Of a path that the user gave; a file that is not there may as well be a defect of ours."""


def check_model(model: str, tasks: str | None) -> None:
    """Raise RunError for a model that lmms-eval does not know, unless tasks are only listed."""
    from lmms_eval.models import list_available_models

    known = list_available_models(include_aliases=True)
    if tasks not in LISTS and model not in known:
        raise RunError(
            f"model {model!r} is unknown{_did_you_mean(model, known)}; 'lmms_eval models' lists all"
        )


def not_ours(task: str, model: str) -> RunError:
    """For a task of lmms-eval's own, whose rows a model of ours cannot read."""
    ours = like(task)
    remedy = f"ask {ours.name}" if ours else f"ask one of {', '.join(task_names())}"
    return RunError(f"task {task!r} is lmms-eval's own, and model {model} asks tasks of ours; {remedy}")


def check_tasks(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise RunError for names, no patterns among them, that are not among the known ones."""
    if missing := _missing(names, known):
        raise RunError(_not_found(missing, known))


def check_arguments(tasks: str | None) -> None:
    """Raise RunError for arguments of our tasks where none of them is asked for: they would do nothing."""
    patterns = (tasks or "").split(",")
    ours = any(fnmatch.filter(task_names(), pattern) for pattern in patterns)
    if (given := given_arguments()) and not ours and tasks not in LISTS:
        shown = ", ".join(f"{name}={value}" for name, value in given.items())
        raise RunError(f"tasks {tasks}: take no {shown}, which is for tasks of ours; unset it")


def check_examples(tasks: str | None, count: int | None) -> None:
    """Raise RunError for few-shot examples of our tasks: all of their questions are asked, none is left to be shown."""
    ours = any(fnmatch.filter(task_names(), pattern) for pattern in (tasks or "").split(","))
    if count and ours:
        raise RunError(
            f"--num_fewshot {count}: tasks {tasks}: every question is asked, so there are no examples; leave it out"
        )


def check_output(folder: str | None) -> None:
    """Raise RunError where results could not be written, before any of them is computed."""
    try:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"--output_path {of_path(error)}") from None


def check_results(results: Mapping[str, Any], args: Any) -> None:
    """Raise RunError unless every task that ran has a metric to show, which takes at least one sample."""
    if not results.get("n-samples"):
        raise RunError(f"tasks {args.tasks}: no task ran")
    for task in results["n-samples"]:
        metrics = [name for name in results["results"].get(task, {}) if "," in name]  # "accuracy,none"
        if not metrics and not args.predict_only:
            raise RunError(_no_sample(task, args))


def explain(error: Exception, args: Any) -> str:
    """One line: our own errors say enough; others get the task, the model and, if known, the question."""
    cause = root_cause(error)
    if isinstance(cause, HlvidError):
        return str(cause)
    if isinstance(cause, UNWRITABLE) and (said := of_path(cause)):
        return said
    if MISSING in str(cause):
        return _missing_tasks(args)
    if NO_TASKS in str(cause):
        return f"tasks {args.tasks!r}: nothing of that name or pattern; 'lmms_eval tasks list' lists all"
    if NO_DOCS in str(cause):
        return _no_sample(args.tasks, args)
    question = costs.last_asked()
    where = f", question {question} was the last it asked for" if question else ""
    text = " ".join(str(cause).split()) or "no message"
    return f"model {args.model}, tasks {args.tasks}{where}: {type(cause).__name__}: {text}"


def is_defect(error: Exception) -> bool:
    """Whether the traceback helps: an exception nobody foresaw, also when one of ours was raised from it."""
    chain = list(_causes(error))
    foreseen = any(text in str(chain[-1]) for text in (MISSING, NO_TASKS, NO_DOCS))
    return not foreseen and not isinstance(chain[-1], (HlvidError, *UNWRITABLE))


def root_cause(error: BaseException) -> BaseException:
    """The first error of ours in the chain of causes, else the innermost of all."""
    chain = list(_causes(error))
    return next((one for one in chain if isinstance(one, HlvidError)), chain[-1])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it was raised from, looking into tenacity's RetryError."""
    while error is not None:
        yield error
        attempt = getattr(error, "last_attempt", None)
        error = attempt.exception() if attempt is not None else error.__cause__


def _no_sample(task: str, args: Any) -> str:
    return f"task {task}: no sample ran (--limit {args.limit}, --offset {args.offset})"


def _missing_tasks(args: Any) -> str:
    from lmms_eval.tasks import TaskManager

    known = TaskManager("ERROR", include_path=args.include_path, model_name=args.model).all_tasks
    return _not_found(_missing(args.tasks.split(","), known), known)


def _missing(names: Sequence[str], known: Sequence[str]) -> list[str]:
    return [name for name in names if name not in known and "*" not in name]


def _not_found(missing: Sequence[str], known: Sequence[str]) -> str:
    parts = [f"task {name!r} not found{_did_you_mean(name, known)}" for name in missing]
    return "; ".join(parts) + "; 'lmms_eval tasks list' lists all"


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""
