"""The house as docs/architecture.md draws it: which package may import which, no circle between files, and that
pyproject.toml names what is imported."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("hlvid", "autogaze", "evaluators", "leaderboard", "analysis")

#: What each package may import of the other four, lazily or not.
ARROWS = {
    "hlvid": set(),
    "autogaze": {"hlvid"},
    "evaluators": {"hlvid", "autogaze"},
    "leaderboard": {"hlvid"},
    "analysis": {"hlvid", "autogaze", "evaluators", "leaderboard"},
}


def modules() -> dict[str, Path]:
    """Every module of the five packages, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Modules of ours that a file imports, at its top or in a function; not what only a type checker reads."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for part in block.body
        for node in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                target = whole if whole in known else str(node.module)
                if target in known and target != name:
                    yield target


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: set(imported(name, path, known)) for name, path in known.items()}


def test_arrows_between_packages(graph: dict[str, set[str]]) -> None:
    wrong = {
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if (mine := name.split(".")[0]) != (theirs := other.split(".")[0]) and theirs not in ARROWS[mine]
    }
    assert not wrong


def test_autogaze_takes_video_and_files_alone_and_only_for_training(graph: dict[str, set[str]]) -> None:
    taken = ("hlvid.video", "hlvid.files", "hlvid.errors")
    wrong = {
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if name.startswith("autogaze.")
        and other.startswith("hlvid")
        and not (name.startswith("autogaze.training") and other.startswith(taken))
    }
    assert not wrong


def test_pyproject_names_what_is_imported_and_nothing_else() -> None:
    """Triton alone comes unnamed: torch brings it where there is a GPU for it, and it is imported nowhere else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    always = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    extras = {
        canonicalize_name(Requirement(line).name)
        for name, lines in project["optional-dependencies"].items()
        for line in lines
        if name != "dev"
    }
    distributions = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in modules().values():
        for name in foreign(path) - {"triton"}:
            found[name] = {canonicalize_name(one) for one in distributions.get(name, [name])}
    assert not {name for name, bringers in found.items() if not bringers & (always | extras)}
    assert not always - set.union(*found.values())


def foreign(path: Path) -> set[str]:
    """Roots of the modules a file imports that are neither ours nor Python's own."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - set(PACKAGES)


def test_no_circle_between_files(graph: dict[str, set[str]]) -> None:
    circles = [sorted(group) for group in strongly_connected(graph) if len(group) > 1]
    assert not circles


def strongly_connected(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that reach each other (scipy has the algorithm)."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    names = sorted(graph)
    place = {name: index for index, name in enumerate(names)}
    edges = np.array([(place[a], place[b]) for a in names for b in graph[a]]).T
    matrix = csr_array((np.ones(edges.shape[1]), tuple(edges)), shape=(len(names), len(names)))
    count, labels = connected_components(matrix, connection="strong")
    return [{name for name in names if labels[place[name]] == label} for label in range(count)]
