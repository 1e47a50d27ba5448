"""A cell of a sweep, and its identity: a hash of everything that could change its numbers.

Example::

    cell = Cell("hlvid_mini", "gaze_reader", {"frames": 8, "resolution": 448}, {"frames": 8, "resolution": 448})
    cell.identity()        # "5f1c0a9e2b7d4c33": another code, library or argument gives another

Two cells of one identity are the same measurement, so a finished one is never run again; a changed one is.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from evaluators.core.environment import code_version, library_versions
from evaluators.runs.spec import RunSpec
from hlvid.dataset import dataset_revision
from hlvid.errors import DatasetError

CODE = (
    "autogaze",
    "evaluators.core",
    "evaluators.models",
    "evaluators.runs",
    "hlvid.benchmarks",
    "hlvid.dataset",
    "hlvid.download",
    "hlvid.mini",
    "hlvid.scoring",
    "hlvid.tasks",
    "hlvid.video",
)
"""What a run executes; a test compares it with what the models and tasks import."""
LIBRARIES = ("av", "lmms-eval", "numpy", "onnxruntime", "rapidocr-onnxruntime", "torch", "transformers")
WEIGHTS = Path("weights") / "model.safetensors"


@dataclass(frozen=True)
class Cell:
    """task, model, model_args: what runs. labels: where it stands in the grid, by the grid's names."""

    task: str
    model: str
    model_args: Mapping[str, Any]
    labels: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    seed: int = 0

    def key(self) -> str:
        """What was asked, as JSON: equal for cells that a grid names twice."""
        asked = [self.task, self.model, dict(self.model_args), self.limit, self.seed]
        return json.dumps(asked, sort_keys=True)

    def identity(self) -> str:
        """16 hex digits over what was asked, the checkpoints in folders that it names, and what surrounds a run: our
        code and tasks, libraries, bundled weights, the benchmark's question file, the variables of a run."""
        checkpoints = [_contents(value) for value in self.model_args.values() if isinstance(value, str)]
        parts = (self.key(), json.dumps([found for found in checkpoints if found]), _surroundings())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def spec(self) -> RunSpec:
        """What `hlvid eval` is to run. Raises RunError for values that its command line cannot carry."""
        return RunSpec(self.task, self.model, dict(self.model_args), self.limit, self.seed)

    def with_argument(self, name: str, value: Any) -> Self:
        """The same place in the grid, run with another value of one argument."""
        return replace(self, model_args={**self.model_args, name: value})

    def __str__(self) -> str:
        settings = " ".join(f"{name}={value}" for name, value in self.model_args.items())
        return f"{self.task} {self.model} {settings}".rstrip()


def _contents(value: str) -> list[tuple[str, int, int]]:
    """Names, sizes and times of the files of a folder: other weights under an old name are another model."""
    folder = Path(value)
    if not (folder / "config.json").is_file():
        return []
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


@lru_cache(maxsize=1)
def _surroundings() -> str:
    import autogaze
    from hlvid.tasks.arguments import RECORDED
    from hlvid.tasks.plugin import FOLDER

    weights = Path(autogaze.__file__).parent / WEIGHTS
    parts = {
        "code": code_version(CODE),
        "tasks": {path.name: _digest(path) for path in sorted(FOLDER.rglob("*.yaml"))},
        "libraries": library_versions(LIBRARIES),
        "variables": {name: os.environ.get(name) for name in RECORDED},
        "weights": _digest(weights) if weights.is_file() else None,
        "questions": _questions(),
    }
    return json.dumps(parts, sort_keys=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _questions() -> str | None:
    """Revision of the downloaded HLVid. HLVid-Mini follows from our code, the suite's revisions stand in it."""
    try:
        return dataset_revision("hlvid")
    except DatasetError:
        return None
