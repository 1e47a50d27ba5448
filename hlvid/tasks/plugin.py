"""Makes lmms-eval find our tasks, however it was started.

lmms-eval looks for tasks in its own folder and in `--include_path`; its entry points bring models only. But
it loads those entry points on every start (`lmms-eval`, `python -m lmms_eval`, `accelerate launch`,
`simple_evaluate()`), ours is `evaluators.plugin:manifests`, and that calls `register()`. From there
`TaskManager.initialize_tasks` is wrapped to append this folder to its include path. At that moment
`lmms_eval.tasks` is usually not imported yet: then a one-shot import hook waits for it. A task of the same
name in lmms-eval or in the user's own `--include_path` wins over ours.
"""

import functools
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from hlvid.tasks.arguments import a_run_begins

FOLDER = Path(__file__).parent
TASKS_MODULE = "lmms_eval.tasks"


def register() -> None:
    """Let every `TaskManager` of this process know our tasks. Calling it again changes nothing."""
    loaded = sys.modules.get(TASKS_MODULE)
    if loaded is not None:
        _extend(loaded)
    elif not any(isinstance(finder, _WaitForTasks) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WaitForTasks())


def task_names() -> list[str]:
    """The names of our tasks: those of the YAML files below this folder."""
    return sorted(path.stem for path in FOLDER.rglob("*.yaml") if not path.stem.startswith("_"))


class _WaitForTasks(MetaPathFinder):
    """Steps aside at the first import of `lmms_eval.tasks`, and extends the module once it has run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of `lmms_eval.tasks` with a loader that calls `_extend` last; None for others."""
        if fullname != TASKS_MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_extend(module: ModuleType) -> None:
                run(module)
                _extend(module)

            spec.loader.exec_module = run_and_extend  # type: ignore[method-assign]
        return spec


def _extend(module: ModuleType) -> None:
    """Wrap `TaskManager.initialize_tasks` once."""
    manager = module.TaskManager
    ordinary = manager.initialize_tasks
    if getattr(ordinary, "knows_hlvid", False):
        return

    @functools.wraps(ordinary)
    def initialize_tasks(
        self: Any, include_path: str | list[str] | None = None, include_defaults: bool = True
    ) -> Any:
        _prefer_task_over_folder()
        a_run_begins(self.model_name)
        given = [include_path] if isinstance(include_path, str) else list(include_path or [])
        ours = [str(FOLDER)] if include_defaults else []
        with _parsing_fast():
            return ordinary(self, include_path=given + ours, include_defaults=include_defaults)

    initialize_tasks.knows_hlvid = True  # type: ignore[attr-defined]
    manager.initialize_tasks = initialize_tasks


@contextmanager
def _parsing_fast() -> Iterator[None]:
    """lmms-eval parses some 1,900 YAML files to know its tasks: by libyaml in an eighth of the time, to the same."""
    import yaml
    from lmms_eval import utils

    fast: Any = getattr(yaml, "CFullLoader", yaml.FullLoader)  # a PyYAML may be built without libyaml
    loader: Any = type("IndexLoader", (fast,), {})
    loader.add_constructor("!function", utils.ignore_constructor)  # an index calls nothing

    def full_load(file: Any) -> Any:
        try:
            return yaml.load(file, loader)
        except yaml.YAMLError:  # what is no YAML is for lmms-eval's own parser to say
            file.seek(0)
            return yaml.full_load(file)

    before = utils.yaml
    utils.yaml = SimpleNamespace(**{**vars(yaml), "full_load": full_load})
    try:
        yield
    finally:
        utils.yaml = before


def _prefer_task_over_folder() -> None:
    """`--tasks hlvid` means the task also where a folder `hlvid` lies, as it does in our own repository.

    lmms-eval takes an argument that is a folder for a folder of YAML files, finds none in it and gives up
    with an empty list of tasks; only this empty list is replaced.
    """
    evaluator = sys.modules.get("lmms_eval.evaluator")
    ordinary: Callable[..., Any] | None = getattr(evaluator, "simple_evaluate", None)
    if evaluator is None or ordinary is None or getattr(ordinary, "knows_hlvid", False):
        return

    @functools.wraps(ordinary)
    def simple_evaluate(*args: Any, **kwargs: Any) -> Any:
        asked = getattr(kwargs.get("cli_args"), "tasks", None)
        if kwargs.get("tasks") == [] and asked in task_names():
            kwargs["tasks"] = [asked]
        return ordinary(*args, **kwargs)

    simple_evaluate.knows_hlvid = True  # type: ignore[attr-defined]
    evaluator.simple_evaluate = simple_evaluate  # type: ignore[attr-defined]
