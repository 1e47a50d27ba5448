"""What of a task's data is on this machine: questions, videos, and which of them are missing; opens nothing."""

import importlib.util
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evaluators.runs.checks import check_task
from hlvid.dataset import load
from hlvid.errors import DatasetError, RunError
from hlvid.mini import wanted
from hlvid.tasks import hooks
from hlvid.tasks.arguments import a_run_begins, model_looks_at, switched_on
from hlvid.tasks.folder import INFO
from hlvid.tasks.plugin import FOLDER, task_names


@dataclass(frozen=True)
class TaskData:
    """questions: None while nobody can tell. note: what the user should know or do, or ""."""

    task: str
    questions: int | None = None
    videos: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""
    ready: bool = True

    @property
    def bytes(self) -> int:
        """Of the videos that are here."""
        return sum(path.stat().st_size for path in self.videos)


def data_of(task: str) -> list[TaskData]:
    """Of a task, or of each task of a group; of a task that is lmms-eval's own nothing is known."""
    if task not in task_names():
        try:
            check_task(task)
        except RunError as error:
            return [TaskData(task, note=str(error), ready=False)]
        return [TaskData(task, note="lmms-eval's own task: its data are looked at when it starts")]
    members = _members(task)
    if members:
        return [one for name in members for one in data_of(name)]
    try:
        if task in ("hlvid", "hlvid_mini"):
            return [_hlvid(task)]
        return [_suite(task)]
    except DatasetError as error:
        return [TaskData(task, note=str(error), ready=False)]


def data_identity(
    task: str, looks: tuple[str | None, int | None] = (None, None), make: bool = False
) -> dict[str, Any] | None:
    """What of a task would be asked now: hashes of the whole set and of what is here, prompts, variables consumed.

    None while that cannot be known: data that are not here or not whole. {} for a task that is lmms-eval's own.

    Args:
        looks: the model that is asked and how many frames it is shown, which some prompts depend on.
        make: generate HLVid-Mini where it is not there.
    """
    if task not in task_names():
        return {}
    if members := _members(task):
        return {name: data_identity(name, looks, make) for name in members}
    a_run_begins(looks[0])
    if looks[1]:
        model_looks_at(looks[1])
    try:
        if task == "hlvid_mini" and not make:
            load("mini-{}-{}".format(*wanted()))
        info: dict[str, Any] = json.loads(
            (Path(getattr(hooks, task.upper())) / INFO).read_text(encoding="utf-8")
        )
    except DatasetError:
        return None
    return info


def task_files(tasks: Iterable[str]) -> list[Path]:
    """The files that declare tasks: all of ours; of lmms-eval's own also the code beside the one that names it."""
    found = set(FOLDER.rglob("*.yaml"))
    theirs = [task for task in tasks if task not in task_names()]
    if theirs:
        spec = importlib.util.find_spec("lmms_eval")
        assert spec is not None and spec.origin is not None
        says = re.compile(
            rf"^(?:task|group):\s*['\"]?(?:{'|'.join(map(re.escape, theirs))})['\"]?\s*$", re.MULTILINE
        )
        for path in (Path(spec.origin).parent / "tasks").rglob("*.yaml"):
            if says.search(path.read_text(encoding="utf-8", errors="replace")):
                found |= {one for one in path.parent.iterdir() if one.suffix in (".py", ".yaml")}
    return sorted(found)


def _members(task: str) -> list[str]:
    """The tasks of a group; none for a task."""
    (path,) = FOLDER.rglob(f"{task}.yaml")
    text = path.read_text(encoding="utf-8").replace("!function", "")  # a tag that only lmms-eval knows
    config = yaml.safe_load(text)
    return list(config["task"]) if isinstance(config.get("task"), list) else []


def _hlvid(task: str) -> TaskData:
    source = "hlvid" if task == "hlvid" else "mini-{}-{}".format(*wanted())
    try:
        questions = load(source)
    except DatasetError:
        if task == "hlvid":
            raise
        return TaskData(task, note=f"HLVid-Mini ({source}) is generated at the start, in a minute or two")
    paths = {question.video: question.video_path for question in questions}
    here = {name: path for name, path in paths.items() if path is not None and path.is_file()}
    missing = tuple(name for name in paths if name not in here)
    return _found(task, len(questions), tuple(here.values()), missing, "run 'hlvid download'")


def _suite(task: str) -> TaskData:
    from hlvid.benchmarks import locate, registry
    from hlvid.benchmarks.needed import needed

    benchmark = registry.get(task)
    folders, want = locate.folders(benchmark), needed(task)
    found = {one.places[0]: locate.first(folders, one.places) for one in want.videos}
    here = tuple(path for path in found.values() if path is not None)
    missing = tuple(name for name, path in found.items() if path is None)
    return _found(task, want.questions, here, missing, f"run 'hlvid data prepare {benchmark.name}'")


def _found(
    task: str, questions: int, here: tuple[Path, ...], missing: tuple[str, ...], remedy: str
) -> TaskData:
    partial = switched_on("HLVID_PARTIAL") and bool(here)
    note = ""
    if missing:
        note = "only questions about the videos that are here (HLVID_PARTIAL=1)" if partial else remedy
    return TaskData(task, questions, here, missing, note, ready=partial or not missing)
