"""Which sources of this project a module needs to run, found by its imports; nobody keeps a list by hand.

Imports count wherever they stand: at a module's top, inside a function, for type checkers, and by name in a string
("autogaze.selectors.detail:Detail", as registries have them). With a module come the packages that it lies in. A
hash over source files and not the git revision: it works in an installed wheel, it sees uncommitted edits, and a
commit that touches only documentation throws no night's answers away.
"""

import ast
import hashlib
import importlib.util
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from hlvid.errors import RunError
from hlvid.memo import Memo

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("analysis", "autogaze", "evaluators", "hlvid", "leaderboard")

# Python 3.11 counts its parser's depth for all threads together: two that parse at a time end in a SystemError.
_parsing = threading.Lock()
_NAMED = re.compile(rf"((?:{'|'.join(PACKAGES)})(?:\.\w+)+)(?::\w+)?")


def closure(modules: Iterable[str], without: Iterable[str] = ()) -> dict[str, Path]:
    """Name -> source of all that the modules import, directly or not, themselves included, sorted by name.

    Args:
        modules: of this project or of a user's; `__main__` is the script that runs.
        without: modules that are left out, with what only they import.

    Raises:
        RunError: a module without a source file, such as one typed into a notebook.
    """
    waiting = [(name, _root(name)) for name in modules]
    homes = {name.partition(".")[0]: _home(name, path) for name, path in waiting}
    homes |= dict.fromkeys(PACKAGES, ROOT)
    memo, skipped = Memo("imports.json"), set(without)
    found: dict[str, Path] = {}
    while waiting:
        name, path = waiting.pop()
        if name in found or name in skipped:
            continue
        found[name] = path
        named = set(_with_parents(name, _imports(path, name, memo))) - found.keys()
        waiting += [(other, source) for other in named if (source := _source(other, homes))]
    memo.save()
    return dict(sorted(found.items()))


def code_of(modules: Iterable[str], without: Iterable[str] = ()) -> dict[str, str]:
    """Name -> first 12 hex digits of the SHA-256 of its source, for every module of the closure."""
    return {name: _digest(path.read_bytes()) for name, path in closure(modules, without).items()}


def _root(name: str) -> Path:
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None and name != "__main__":
        spec = importlib.util.find_spec(name)
        file = spec.origin if spec else None
    if not file or not Path(file).is_file():
        raise RunError(
            f"code of {name}: no source file, so no answer could be told from one of other code; "
            "put the model into a .py file and import it from there"
        )
    return Path(file).resolve()


def _home(name: str, path: Path) -> Path:
    """The folder from which a root module's top-level package is imported; a script's is its own."""
    depth = name.count(".") + (path.name == "__init__.py")
    return path.parents[depth]


def _source(module: str, homes: dict[str, Path]) -> Path | None:
    """The file of a module of ours, or of one that lies beside a user's; None for libraries."""
    top = module.partition(".")[0]
    places = [homes[top]] if top in homes else [home for home in set(homes.values()) if home != ROOT]
    for home in places:
        if "site-packages" in home.parts and top not in homes:
            continue
        path = home / module.replace(".", "/")
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if _is_file(file):
                return file
    return None


@lru_cache(maxsize=8192)
def _is_file(path: Path) -> bool:
    return path.is_file()


def _with_parents(name: str, imported: Iterable[str]) -> Iterator[str]:
    """The modules and every package above them: importing a module runs these, too."""
    for one in (name, *imported):
        yield from accumulate(one.split("."), lambda parent, child: f"{parent}.{child}")


def _imports(path: Path, name: str, memo: Memo) -> tuple[str, ...]:
    """What a source names; remembered by the source's hash, since parsing a hundred files takes a while."""
    source = path.read_bytes()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    key = f"{name} {_digest(source)}"
    known = memo.get(key)
    if isinstance(known, list):
        return tuple(known)
    found = tuple(dict.fromkeys(_names(source, package)))
    memo.put(key, list(found))
    return found


def _names(source: bytes, package: str) -> Iterator[str]:
    with _parsing:
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and (match := _NAMED.fullmatch(str(node.value))):
            yield match[1]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
