"""What a finished run is worth: everything that shaped its numbers, compared with what would shape them now.

The rule is that of journals (`evaluators.core.identity`), and adds what a run has beside answers: which questions, the
tasks' files and variables, scoring. Where a run's identity changed, its journal still answers all that did not.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, Self

from evaluators.core.closure import code_of
from evaluators.core.identity import Identity, versions
from evaluators.core.weights import Named, content, named_in, weigh
from evaluators.models.registry import MODELS
from evaluators.runs.data import data_identity, task_files
from evaluators.runs.files import ASKED
from evaluators.runs.spec import RunSpec

RUNNING = ("evaluators.runs.worker", "hlvid.tasks.command", "hlvid.tasks.hooks")
"""What a run executes beside its model."""
NOT_RUNNING = (
    "evaluators.plugin",
    "evaluators.models.registry",
    "evaluators.runs.identity",
    "evaluators.runs.data",
)
"""Modules that name models and tasks, or compare, and decide about no number."""
LIBRARIES = ("av", "lmms-eval", "numpy", "onnxruntime", "rapidocr", "torch", "transformers")
BUNDLED = "autogaze.weights"


class Asked(Protocol):
    """What is to be run: a `RunSpec`, or the cell of a sweep. task: several have commas. limit: of each task."""

    @property
    def task(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def model_args(self) -> Mapping[str, Any]: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Used:
    """What the models of a run said they use, which their arguments do not tell.

    checkpoints: argument -> (folder or hub id, revision). sources: modules that answer, a user's selectors among them.
    """

    checkpoints: Named = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From a run's results.json, or the note of one of its processes."""
        named = (told.get("checkpoints") or {}).items()
        return cls(
            {name: (path, revision) for name, (path, revision) in named}, tuple(told.get("sources") or ())
        )


Surroundings = dict[str, Any]


def surroundings(
    task: str, model: str, looks: tuple[str | None, int | None], sources: tuple[str, ...] = ()
) -> Surroundings:
    """What shapes a run beside its arguments: code, libraries, data as `looks` (see `data_identity`) sees them."""
    return {
        "code": code_of_run(task, model, sources),
        "libraries": versions(LIBRARIES),
        "data": {name: data_identity(name, looks) for name in task.split(",")},
    }


def run_identity(
    spec: Asked, used: Used | None = None, surroundings: Callable[..., Surroundings] = surroundings
) -> Identity:
    """Everything that shapes the numbers of a run, as JSON values; loads no model.

    Args:
        used: what the model loads and runs beside what its arguments name, once that is known.
    """
    arguments, used = dict(spec.model_args), used or Used()
    named = {**named_in(arguments, arguments.get("revision")), **used.checkpoints}
    around = surroundings(spec.task, spec.model, looks_of(spec), used.sources)
    weights = weigh(named)
    if BUNDLED in around["code"]:
        weights["bundled"] = _bundled()
    return {
        "task": spec.task,
        "model": spec.model,
        "settings": {name: value for name, value in arguments.items() if name not in (*named, "device")},
        "limit": spec.limit,
        "seed": spec.seed,
        "weights": weights,
        **around,
        "device": str(arguments.get("device") or _best()).partition(":")[0],
    }


def shaped_by(spec: RunSpec, journals: Path) -> dict[str, Any]:
    """For results.json: the run's identity, and what its models said they use."""
    used = asked_of(journals)[2]
    return {"identity": run_identity(spec, used), **asdict(used)}


def looks_of(spec: Asked) -> tuple[str | None, int | None]:
    """The model whose prompts are meant, and the frames that it is told to take."""
    frames = spec.model_args.get("frames") or spec.model_args.get("num_video_frames")
    return spec.model_args.get("inner") or spec.model, frames if isinstance(frames, int) else None


def code_of_run(task: str, model: str, sources: Iterable[str] = ()) -> dict[str, str]:
    """Sources of a run by their imports, and the files that declare its tasks."""
    own = {MODELS[model].rpartition(".")[0]} if model in MODELS else set()
    tasks = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in task_files(task.split(","))
    }
    return {**code_of([*RUNNING, *sorted({*own, *sources})], without=NOT_RUNNING), **tasks}


def asked_of(folder: Path) -> tuple[set[Path], set[str], Used]:
    """What the models of a run say is in use: journals, keys of what is asked, checkpoints and code.

    Args:
        folder: of the journals; every process of a run leaves a note there.
    """
    journals: set[Path] = set()
    keys: set[str] = set()
    checkpoints: dict[str, tuple[str, str | None]] = {}
    sources: set[str] = set()
    for note in sorted(folder.glob(ASKED)):
        try:
            found = json.loads(note.read_text(encoding="utf-8"))
            journals.add(folder / found["journal"])
            keys.update(found["keys"])
            used = Used.of(found)
            checkpoints |= used.checkpoints
            sources.update(used.sources)
        except (OSError, ValueError, KeyError, TypeError):  # of another version
            continue
    return journals, keys, Used(checkpoints, tuple(sorted(sources)))


def _bundled() -> str:
    from autogaze.weights import bundled

    try:
        return content(bundled() / "model.safetensors")
    except ValueError:  # installed without them
        return "absent"


@lru_cache(maxsize=1)
def _best() -> str:
    from evaluators.core.device import devices

    return devices()[-1]
