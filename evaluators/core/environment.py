"""Which code gave an answer: the part of a run's identity that changes when the program does.

Example::

    code_version(("hlvid.video", "evaluators.models"))   # "0.1.0+src.5f1c0a9e2b7d4c33"

A hash over source files and not the git revision: it works in an installed wheel, it sees uncommitted
edits, and a commit that touches only documentation does not throw a night's answers away. The environment
that results record (versions, hardware, decoder) is `hlvid.tasks.record.environment`.
"""

import hashlib
import importlib.util
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import hlvid
from hlvid.errors import RunError


def code_version(modules: Iterable[str]) -> str:
    """`VERSION+src.HASH` of the named modules or packages (every .py file below a package).

    Raises:
        RunError: a name that cannot be imported.
    """
    digest = hashlib.sha256()
    for name in sorted(set(modules)):
        for path, label in _sources(name):
            digest.update(f"{label}\0".encode() + path.read_bytes() + b"\0")
    return f"{hlvid.__version__}+src.{digest.hexdigest()[:16]}"


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Installed versions of distributions, "absent" for one that is not there: {"av": "15.1.0"}."""
    return {name: _version(name) for name in sorted(set(names))}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _sources(name: str) -> list[tuple[Path, str]]:
    """(file, label) of a module's sources in a fixed order; labels do not depend on where it is installed."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RunError(f"code version: no module named {name}")
    origin = Path(spec.origin)
    if spec.submodule_search_locations is None:
        return [(origin, name)]
    root = origin.parent
    return [(path, f"{name}/{path.relative_to(root)}") for path in sorted(root.rglob("*.py"))]
