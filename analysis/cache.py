"""Measurements are kept: the same question about the same data, code and weights is answered from disk.

Example::

    table = cached(inputs, "selectors", {"ratios": RATIOS, "clips": names}, lambda: measure(...))

The key hashes the parameters, the versions of the libraries and every source of this project that the measuring module
imports: a changed net, resizer or study is measured anew, a changed colour of the house style is not. Tables are
parquet files, written complete or not at all.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.inputs import Inputs
from hlvid.files import whole

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("analysis", "autogaze", "evaluators", "hlvid")
LIBRARIES = ("av", "numpy", "opencv-python-headless", "torch")
DRAWING = frozenset({"analysis.style", "analysis.tables", "analysis.reference", "analysis.figure"})
"""Modules that decide about looks alone."""


def cached(
    inputs: Inputs, name: str, parameters: Mapping[str, Any], measure: Callable[[], "pd.DataFrame"]
) -> "pd.DataFrame":
    """The table that `measure` makes, from `inputs.cache` if it was made before.

    parameters: all that the numbers depend on beside the code, as JSON values.
    """
    import pandas as pd

    text = json.dumps([code_digest(_module(measure)), dict(parameters)], sort_keys=True, default=str)
    path = inputs.cache / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.parquet"
    if path.is_file() and not inputs.again:
        return pd.read_parquet(path)
    table = measure()
    with whole(path) as fresh:
        table.to_parquet(fresh)
    return table


def _module(measure: Callable[[], object]) -> str:
    return str(measure.func.__module__ if isinstance(measure, partial) else measure.__module__)


@lru_cache
def code_digest(module: str) -> str:
    """Hash of all that decides about what `module` measures: its imports' sources, all selectors, the libraries."""
    versions = [f"{name} {version(name)}" for name in LIBRARIES]
    digest = hashlib.sha256("\n".join(versions).encode())
    selectors = [_dotted(path) for path in sorted((ROOT / "autogaze" / "selectors").glob("*.py"))]
    for path in imported([module, *selectors]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def imported(modules: Iterable[str]) -> list[Path]:
    """Sources of this project that the modules import, at their top or inside functions, directly or not."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if path is not None and path not in found and name not in DRAWING:
            found.add(path)
            waiting += _names(path)
    return sorted(found)


def _names(path: Path) -> Iterator[str]:
    """Modules that a source imports, and the packages that they lie in."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{name}" for name in names)]
        for name in names:
            yield from accumulate(name.split("."), lambda parent, child: f"{parent}.{child}")


def _source(module: str) -> Path | None:
    if module.partition(".")[0] not in PACKAGES:
        return None
    path = ROOT / module.replace(".", "/")
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def _dotted(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")


def files_identity(paths: Iterable[Path]) -> list[str]:
    """Name, size and time of change of each file: what makes two folders of videos differ."""
    return [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths]
