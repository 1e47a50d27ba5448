"""What others have measured and left on disk: runs of `hlvid eval`, latencies, reports of training.

Nothing is guessed: a file that is not what its name says is skipped with a warning that names it. Which runs count, and
what they are called in a table, is for `analysis.measured`.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.models.openai.settings import NO_INFLUENCE
from hlvid.scoring.samples import OWN, read_lines

if TYPE_CHECKING:
    import pandas as pd


UNTELLING = frozenset({
    *NO_INFLUENCE, "max_wait", "batch_size", "max_batch_size_autogaze", "max_batch_size_siglip",
})  # fmt: skip
"""Arguments that change what a run costs and never what it measures."""
Row = tuple[str, int | None]
"""What makes a row of a table its own: configuration and limit."""


@dataclass(frozen=True)
class Run:
    """A finished folder of `hlvid eval`: its `results.json` and, if asked, its answers."""

    folder: Path
    results: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether all was answered; out of memory and the like are results, too, but of another kind."""
        return bool(self.results.get("status") == "ok")

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(self.results.get("model_args") or {})

    @property
    def telling_arguments(self) -> dict[str, Any]:
        """The arguments that bear on what is measured."""
        told = self.arguments.items()
        return {name: value for name, value in told if name not in UNTELLING and value is not None}

    @property
    def seed(self) -> int:
        """Of Python, numpy and torch in the process that ran the model."""
        return int(self.results.get("seed") or 0)

    @property
    def limit(self) -> int | None:
        """How many questions of each task at most; None for all."""
        limit = self.results.get("limit")
        return None if limit is None else int(limit)

    @property
    def label(self) -> str:
        """Model and arguments on one line."""
        return self._line(self.arguments)

    @property
    def configuration(self) -> str:
        """The same text for two runs that measure the same, on however many questions."""
        seed = {"--seed": self.seed} if self.seed else {}
        return self._line(dict(sorted(self.telling_arguments.items())) | seed)

    @property
    def identity(self) -> Row:
        """What makes a row of a table its own: the configuration, and the limit where there is one."""
        return self.configuration, self.limit

    def _line(self, settings: Mapping[str, Any]) -> str:
        shown = ", ".join(f"{name} {value}" for name, value in settings.items())
        return f"{self.results['model']}: {shown}" if shown else str(self.results["model"])

    def samples(self) -> list[dict[str, Any]]:
        """Every answer, the lines of `samples.jsonl`; none where the run left none.

        Raises AnswerError naming file and line for one that is no answer.
        """
        path = self.folder / OWN
        return [dict(row) for row in read_lines(path).values()] if path.is_file() else []


def runs(folders: Iterable[Path], task: str | None = None) -> list[Run]:
    """Every run below `folders`, of one task if given, by path."""
    found = [
        Run(path.parent, content)
        for path in below(folders, "results.json")
        if (content := _json(path)) and {"task", "model", "status"} <= set(content)
    ]
    return [run for run in found if task in (None, run.results["task"])]


def latencies(folders: Iterable[Path], kind: str) -> "pd.DataFrame | None":
    """Rows of one kind ("vit", "mllm", "selector") of all latency files below `folders`; None without any."""
    import pandas as pd

    rows = []
    for path in below(folders, "*.json"):
        content = _json(path)
        found = content.get("rows") if isinstance(content, dict) else None
        if isinstance(found, list):
            shared = {key: content[key] for key in ("hardware", "shape") if key in content}
            rows += [shared | row for row in found if isinstance(row, dict) and row.get("kind") == kind]
    return pd.DataFrame(rows) if rows else None


def evaluations(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Reports of `hlvid train evaluate` below `folders`, the newest last; where there are none, the bundled one."""
    return _reports(folders) or _reports([Path(__file__).resolve().parents[1] / "autogaze" / "weights"])


def _reports(folders: Iterable[Path]) -> list[dict[str, Any]]:
    paths = sorted(below(folders, "*.json"), key=lambda path: path.stat().st_mtime)
    reports = [_json(path) for path in paths if path.stat().st_size < 5e6]
    return [report for report in reports if {"curves", "ratio_for_loss", "clips"} <= set(report)]


def below(folders: Iterable[Path], pattern: str) -> Iterator[Path]:
    """Every file of that name below the folders, each once, by path."""
    seen: set[Path] = set()
    for folder in folders:
        for path in sorted(folder.rglob(pattern)) if folder.is_dir() else ():
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        warnings.warn(f"{path}: not readable as JSON ({error}), left out", stacklevel=2)
        return {}
    return content if isinstance(content, dict) else {}
