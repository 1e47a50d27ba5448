"""What a checkpoint holds: a hash over all bytes of its files, or the commit of a hub repository.

A folder is hashed once, at the speed of its disk, and remembered by each file's path, size, times and inode: the
next run asks the file system alone. Where it lies does not count, so a copied or moved checkpoint is the same one.
"""

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from hlvid.memo import Memo

Named = Mapping[str, tuple[str, str | None]]
"""Argument -> (folder, file or hub id; revision of a hub id)."""

SETTLED = 2.0
"""Seconds after which a file's times tell another change apart; a younger file is hashed and not remembered."""
TOLD = 1 << 30
"""Bytes to hash from which the user is told what takes time."""

SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx")
ORIGINS = ("_name_or_path", "name_or_path", "_commit_hash")
"""Fields that say where a checkpoint came from."""

UNKNOWN = "unknown"
_HUB = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def weigh(named: Named) -> dict[str, str]:
    """What each of the checkpoints holds now, by argument; and those that its own files name (an adapter's base, a
    tower of its own), by argument, file and field."""
    whole = {**named, **{where: name for one in named.items() for where, name in _named_inside(*one)}}
    return {argument: _one(name, revision) for argument, (name, revision) in sorted(whole.items())}


def named_in(arguments: Mapping[str, Any], revision: str | None = None) -> dict[str, tuple[str, str | None]]:
    """Those arguments that name a checkpoint: a file or folder that is here, or a repository in the hub's cache.

    Not a word that merely is some folder's name, too (`selector=detail` beside a folder "detail").
    """
    return {
        name: (str(value), revision) for name, value in arguments.items() if _is_checkpoint(value, revision)
    }


def content(path: Path) -> str:
    """ "sha256:<hex>" over names and bytes of a folder's files, hidden ones and __pycache__ apart, or of one file."""
    files = [path] if path.is_file() else _files(path)
    names = [path.name] if path.is_file() else [file.relative_to(path).as_posix() for file in files]
    digest = hashlib.sha256()
    for name, own in zip(names, _hashes(files), strict=True):
        digest.update(f"{name}\0{own}\n".encode())
    return f"sha256:{digest.hexdigest()}"


@lru_cache(maxsize=64)
def commit_of(repository: str, revision: str | None = None) -> str:
    """The commit that a hub id stands for now: asked of the hub, else as its cache has it.

    "unknown" without either; no answer is kept under that.
    """
    if revision and re.fullmatch("[0-9a-f]{40}", revision):
        return revision
    from huggingface_hub import HfApi, constants

    for patience in () if constants.HF_HUB_OFFLINE else (5, 20):
        try:
            return str(HfApi().model_info(repository, revision=revision, timeout=patience).sha)
        except Exception as error:  # of a dozen types
            if "Timeout" not in type(error).__name__:
                break  # loading will get no further, and takes what the cache has
    return _cached(repository, revision) or UNKNOWN


def _is_checkpoint(value: Any, revision: str | None) -> bool:
    if not isinstance(value, str):
        return False
    if _local(value):
        return os.sep in value or _holds_weights(Path(value).expanduser())
    return bool(_HUB.fullmatch(value) and _cached(value, revision))


def _holds_weights(path: Path) -> bool:
    if path.is_file():
        return path.suffix in SUFFIXES
    return any(one.suffix in SUFFIXES or one.name.endswith("config.json") for one in path.iterdir())


def _named_inside(argument: str, named: tuple[str, str | None]) -> Iterator[tuple[str, tuple[str, None]]]:
    """Other checkpoints that the JSON files of one name; not what it was made from, which nobody loads."""
    home = Path(named[0]).expanduser() if _local(named[0]) else _snapshot(*named)
    for path in sorted(home.glob("*config.json")) if home else ():
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for field, value in _texts(data):
            other = value.partition("--")[0]  # code of another repository: owner/name--module.Class
            inside = not Path(other).is_absolute() and (path.parent / other).exists()
            if field not in ORIGINS and not inside and os.sep in other and _is_checkpoint(other, None):
                yield f"{argument}: {path.name}: {field}", (other, None)


def _texts(data: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """All texts of a JSON value, with the names of their fields."""
    if isinstance(data, str):
        yield field, data
    elif isinstance(data, dict):
        for name, value in data.items():
            yield from _texts(value, name)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, field)


def _snapshot(repository: str, revision: str | None) -> Path | None:
    """The folder in the hub's cache of the commit that is loaded, if it is there."""
    from hlvid.paths import hub_cache

    home = hub_cache() / f"models--{repository.replace('/', '--')}" / "snapshots"
    folder = home / commit_of(repository, revision)
    return folder if folder.is_dir() else None


def _one(name: str, revision: str | None) -> str:
    if _local(name):
        return content(Path(name).expanduser())
    return f"hub:{name}@{commit_of(name, revision)}"


def _local(value: str) -> bool:
    try:
        return bool(value) and Path(value).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, an unknown user: no path
        return False


def _cached(repository: str, revision: str | None) -> str | None:
    """The commit in the hub's cache, whose files lie under snapshots/<commit>/; None where it is not there."""
    from hlvid.paths import hub_cache

    home = hub_cache() / f"models--{repository.replace('/', '--')}"
    try:
        return (home / "refs" / (revision or "main")).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def _files(folder: Path) -> list[Path]:
    """Hidden ones are notes of tools: .cache, .git, .gitattributes."""
    found, seen = [], set()
    for home, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(home)) in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one != "__pycache__")
        found += [Path(home) / name for name in sorted(names) if not name.startswith(".")]
    return found


def _hashes(files: Iterable[Path]) -> list[str]:
    """SHA-256 of each file, from memory where it did not change."""
    paths = [file.resolve() for file in files]
    memo = Memo("hashes.json")
    keys = [_key(path) for path in paths]
    known = {key: found for key in keys if (found := memo.get(key))}
    missing = {key: path for key, path in zip(keys, paths, strict=True) if key not in known}
    size = sum(path.stat().st_size for path in missing.values())
    if size > TOLD:
        print(
            f"hashing {size / 1e9:.1f} GB of weights, once: {next(iter(missing.values())).parent}",
            file=sys.stderr,
        )
    with ThreadPoolExecutor(4) as pool:  # hashlib lets other threads run meanwhile
        fresh = dict(zip(missing, pool.map(_sha256, missing.values()), strict=True))
    for key, path in missing.items():
        if _key(path) == key and _settled(path):
            memo.put(key, fresh[key])
    memo.save()
    return [{**known, **fresh}[key] for key in keys]


def _key(path: Path) -> str:
    """Another write shows in the time of change of the inode, even where a tool puts the file's own time back."""
    stat = path.stat()
    return f"{path}|{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ctime_ns}|{stat.st_ino}"


def _settled(path: Path) -> bool:
    stat = path.stat()
    return time.time() - max(stat.st_mtime, stat.st_ctime) > SETTLED


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
