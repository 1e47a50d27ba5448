"""Measurements are kept: the same question about the same data, code and weights is answered from disk.

The key hashes the parameters, the versions of the libraries and every source of this project that the measuring module
imports: a changed net, resizer or study is measured anew, a changed colour of the house style is not. Tables are
parquet files, written complete or not at all.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.inputs import Inputs
from evaluators.core.closure import code_of
from evaluators.core.identity import hash_of, versions
from hlvid.files import whole
from hlvid.versions import OPENCV

if TYPE_CHECKING:
    import pandas as pd

LIBRARIES = ("av", "numpy", OPENCV, "torch")
DRAWING = frozenset({"analysis.style", "analysis.tables", "analysis.reference", "analysis.figure"})
"""Modules that decide about looks alone."""


def cached(
    inputs: Inputs, name: str, parameters: Mapping[str, Any], measure: Callable[[], "pd.DataFrame"]
) -> "pd.DataFrame":
    """The table that `measure` makes, from `inputs.cache` if it was made before.

    parameters: all that the numbers depend on beside the code, as JSON values.
    """
    import pandas as pd

    text = json.dumps([code_digest(measure.__module__), dict(parameters)], sort_keys=True, default=str)
    path = inputs.cache / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.parquet"
    if path.is_file() and not inputs.again:
        return pd.read_parquet(path)
    table = measure()
    with whole(path) as fresh:
        table.to_parquet(fresh)
    return table


@lru_cache
def code_digest(module: str) -> str:
    """Hash of all that decides about what `module` measures: the sources it imports, directly or not, and libraries."""
    return hash_of({"code": code_of([module], without=DRAWING), "libraries": versions(LIBRARIES)})


def files_identity(paths: Iterable[Path]) -> list[str]:
    """Name, size and time of change of each file: what makes two folders of videos differ."""
    return [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths]
