"""Measurements are kept: the same question about the same data, code and weights is answered from disk.

Example::

    table = cached(inputs, "selectors", {"ratios": RATIOS, "clips": names}, lambda: measure(...))

The key hashes the parameters and the source files that decide about the numbers, so a changed selector, loss
or study is measured anew and a changed colour is not. Tables are parquet files, written complete or not at
all.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.inputs import Inputs

if TYPE_CHECKING:
    import pandas as pd

MEASURING = (
    "analysis/studies", "analysis/stats.py", "autogaze/gaze.py", "autogaze/selectors", "autogaze/anyres.py",
    "autogaze/model/autogaze.py", "autogaze/model/decode.py", "autogaze/reconstruction/paste.py",
    "hlvid/video/sampling.py",
)  # fmt: skip


def cached(
    inputs: Inputs, name: str, parameters: Mapping[str, Any], measure: Callable[[], "pd.DataFrame"]
) -> "pd.DataFrame":
    """The table that `measure` makes, from `inputs.cache` if it was made before.

    parameters: all that the numbers depend on beside the code, as JSON values.
    """
    import pandas as pd

    text = json.dumps([code_digest(), dict(parameters)], sort_keys=True, default=str)
    path = inputs.cache / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.parquet"
    if path.is_file():
        return pd.read_parquet(path)
    table = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    table.to_parquet(part)
    part.replace(path)
    return table


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Hash of the source files that decide about measurements."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in _sources(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def files_identity(paths: Iterable[Path]) -> list[str]:
    """Name, size and time of change of each file: what makes two folders of videos differ."""
    return [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths]


def _sources(root: Path) -> list[Path]:
    found: list[Path] = []
    for name in MEASURING:
        path = root / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found
