"""What others have measured and left on disk: runs of `hlvid eval`, sweeps, latencies, training evaluations.

Example::

    for run in runs(inputs.records):           # every results.json below the folders, finished or not
        run.results["accuracy"], run.samples()
    sweep(inputs.records)                      # one table, or None where there is no sweep
    latencies(inputs.records, "vit")           # rows of `hlvid latency vit`

Nothing is guessed: a file that is not what its name says is skipped with a warning that names it.
"""

import json
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


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
        """The model's arguments."""
        return dict(self.results.get("model_args") or {})

    @property
    def label(self) -> str:
        """Model and arguments on one line."""
        shown = ", ".join(f"{name} {value}" for name, value in self.arguments.items())
        return f"{self.results['model']}: {shown}" if shown else str(self.results["model"])

    def samples(self) -> list[dict[str, Any]]:
        """Every answer, the lines of `samples.jsonl`; none where the run left none."""
        path = self.folder / "samples.jsonl"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.strip()]


def runs(folders: Iterable[Path], task: str | None = None) -> list[Run]:
    """Every run below `folders`, of one task if given, by path."""
    found = [
        Run(path.parent, content)
        for path in _below(folders, "results.json")
        if (content := _json(path)) and {"task", "model", "status"} <= set(content)
    ]
    return [run for run in found if task in (None, run.results["task"])]


def sweep(folders: Iterable[Path]) -> "pd.DataFrame | None":
    """All cells of all sweeps below `folders`, as `evaluators.sweeps.records.load` reads them."""
    import pandas as pd

    places = sorted({path.parent for path in _below(folders, "records.jsonl")})
    if not places:
        return None
    from evaluators.sweeps.records import load

    found: pd.DataFrame = pd.concat([load(place) for place in places], ignore_index=True)
    return found


def latencies(folders: Iterable[Path], kind: str) -> "pd.DataFrame | None":
    """Rows of one kind ("vit", "mllm", "selector") of all latency files below `folders`; None without any."""
    import pandas as pd

    rows = []
    for path in _below(folders, "*.json"):
        content = _json(path)
        found = content.get("rows") if isinstance(content, dict) else None
        if isinstance(found, list):
            shared = {key: content[key] for key in ("hardware", "shape") if key in content}
            rows += [shared | row for row in found if isinstance(row, dict) and row.get("kind") == kind]
    return pd.DataFrame(rows) if rows else None


def evaluations(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Reports of `hlvid train evaluate` below `folders` (and of the bundled checkpoint), the newest last."""
    places = [*folders, Path(__file__).resolve().parents[1] / "autogaze" / "weights"]
    paths = sorted(_below(places, "*.json"), key=lambda path: path.stat().st_mtime)
    reports = [_json(path) for path in paths if path.stat().st_size < 5e6]
    return [report for report in reports if {"curves", "ratio_for_loss", "clips"} <= set(report)]


def _below(folders: Iterable[Path], pattern: str) -> Iterator[Path]:
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
