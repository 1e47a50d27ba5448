"""What can be known of a run's task, model and arguments before anything is loaded: `--dry-run` asks here.

A model that is not ours knows its arguments only itself; of `hlvid_frames` the inner model's are not looked at.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from evaluators.core.arguments import COMMON
from evaluators.models.registry import MODELS
from evaluators.runs.spec import RunSpec
from hlvid.errors import HlvidError, RunError
from hlvid.tasks.failures import check_tasks, not_ours
from hlvid.tasks.plugin import register, task_names


def faults_of(spec: RunSpec) -> list[str]:
    """Why the run would be refused, a line each; none where nothing speaks against it."""
    checks = (
        partial(check_task, spec.task, spec.model),
        partial(check_model_args, spec.model, spec.model_args),
    )
    found = []
    for check in checks:
        try:
            check()
        except HlvidError as error:
            found.append(str(error))
    return found


def check_task(task: str, model: str = "") -> None:
    """Raises RunError for a task that neither we nor lmms-eval have, or of lmms-eval's own for a model of ours."""
    names = [name for name in task.split(",") if name not in task_names()]
    if all("*" in name or Path(name).exists() for name in names):
        return  # lmms-eval takes patterns and folders, too
    check_tasks(names, _all_tasks())
    if names and model in MODELS:
        raise not_ours(names[0], model)


def check_model_args(model: str, arguments: Mapping[str, Any]) -> None:
    """Raises RunError for an unknown model, and for arguments that a model of ours would refuse."""
    CHECKS.get(model, lambda model, _: _known(model))(model, arguments)


def own_arguments(arguments: Mapping[str, Any], *others: str) -> dict[str, Any]:
    """Without those that every model of ours takes, and without `others`."""
    return {name: value for name, value in arguments.items() if name not in (*COMMON, *others)}


def _blind(model: str, arguments: Mapping[str, Any]) -> None:
    if arguments:
        with _quiet():
            from evaluators.models.blind import Blind

        Blind(**arguments)


def _gaze_reader(model: str, arguments: Mapping[str, Any]) -> None:
    from evaluators.models.gaze_reader.settings import ReaderSettings

    ReaderSettings.read(own_arguments(arguments, "cache"))


def _nvila(model: str, arguments: Mapping[str, Any]) -> None:
    from evaluators.models.nvila.arguments import NvilaArguments

    NvilaArguments.read(own_arguments(arguments), model)


def _openai_frames(model: str, arguments: Mapping[str, Any]) -> None:
    from evaluators.models.openai.settings import ApiSettings

    ApiSettings.read(own_arguments(arguments)).key()


def _hlvid_frames(model: str, arguments: Mapping[str, Any]) -> None:
    from evaluators.models.frames.settings import FrameSettings

    _known(FrameSettings.read(own_arguments(arguments), model)[0].inner, f"{model}: inner: ")


CHECKS = {
    "blind": _blind, "gaze_reader": _gaze_reader, "nvila_hd": _nvila, "nvila_video": _nvila,
    "openai_frames": _openai_frames, "hlvid_frames": _hlvid_frames,
}  # fmt: skip
"""How the arguments of each model of ours are checked."""


def _known(model: str, where: str = "") -> None:
    from hlvid.tasks.failures import check_model

    try:
        with _quiet():
            check_model(model, None)
    except RunError as error:
        raise RunError(f"{where}{error}") from None


@lru_cache(maxsize=1)
def _all_tasks() -> tuple[str, ...]:
    """lmms-eval parses its 1,500 files for it, some seconds."""
    register()
    with _quiet():
        from lmms_eval.tasks import TaskManager

        return tuple(TaskManager("ERROR").all_tasks)


@contextmanager
def _quiet() -> Iterator[None]:
    """lmms-eval logs at every import and for each file that is no task; none of it is about this run."""
    from loguru import logger

    logger.disable("lmms_eval")
    try:
        import lmms_eval.models  # noqa: F401  # before our plugin, which it imports in turn

        yield
    finally:
        logger.enable("lmms_eval")
