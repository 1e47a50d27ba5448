"""A published checkpoint as files: a folder, or a hub id of which each file is fetched when it is wanted.

Example::

    snapshot = Snapshot.of("nvidia/NVILA-8B-HD-Video")
    snapshot.json("config.json"), snapshot.text("chat_template.jinja")
    snapshot.tensors()["llm.lm_head.weight"]             # Tensor(file, shape, dtype), from the headers alone
"""

import fnmatch
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from autogaze.model.checkpoint import CheckpointError, find_file

WEIGHTS = ("model-*-of-*.safetensors", "model.safetensors")
INDEX = "*.index.json"


@dataclass(frozen=True)
class Stored:
    """A tensor as its file has it; shape and dtype are None where only the index is at hand."""

    file: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """source: folder or hub id. commit: of the hub, None for a folder. names: of the files there are."""

    source: str
    commit: str | None
    names: tuple[str, ...]

    @classmethod
    def of(cls, source: str | Path, revision: str | None = None) -> Self:
        """Raises CheckpointError when there is neither such a folder nor such a repository."""
        folder = Path(source)
        if folder.is_dir():
            return cls(
                str(source), None, tuple(sorted(path.name for path in folder.iterdir() if path.is_file()))
            )
        config = find_file(source, "config.json", revision)  # says in one line what is wrong
        from huggingface_hub import list_repo_files

        commit = config.parent.name  # the cache keeps a file under snapshots/<commit>/
        try:
            names = list_repo_files(str(source), revision=commit)
        except Exception as error:  # without a network: what an earlier download left
            names = [path.name for path in config.parent.iterdir()]
            if not any(name.endswith(".safetensors") for name in names):
                raise CheckpointError(f"checkpoint {source}: cannot list its files ({error})") from error
        return cls(str(source), commit, tuple(sorted(names)))

    def path(self, name: str) -> Path:
        """A file's path, fetched first if need be."""
        return find_file(self.source, name, self.commit)

    def text(self, name: str) -> str | None:
        """What a file says, None if there is none."""
        return self.path(name).read_text(encoding="utf-8") if name in self.names else None

    def json(self, name: str) -> dict[str, Any]:
        """A file's JSON object, empty if there is none. Raises CheckpointError for anything else."""
        text = self.text(name)
        try:
            data = json.loads(text) if text is not None else {}
        except ValueError as error:
            raise CheckpointError(f"checkpoint {self.source}: {name}: not valid JSON ({error})") from error
        if not isinstance(data, dict):
            raise CheckpointError(f"checkpoint {self.source}: {name}: a JSON object is expected")
        return data

    def matching(self, pattern: str) -> list[str]:
        """Names of files like `*.py`."""
        return [name for name in self.names if fnmatch.fnmatch(name, pattern)]

    @cached_property
    def shards(self) -> list[str]:
        """Weight files in order; empty where only an index is at hand."""
        return next((found for pattern in WEIGHTS if (found := self.matching(pattern))), [])

    def tensors(self) -> dict[str, Stored]:
        """Every tensor by name, in the order of the files, of what is here: headers of shards, else the index.

        Raises CheckpointError where index and shards disagree, or there is neither.
        """
        index: dict[str, str] = {}
        for name in self.matching(INDEX):
            index |= self.json(name).get("weight_map", {})
        there = [shard for shard in self.shards if Path(self.source).is_dir() or self._fetched(shard)]
        found = {name: stored for shard in there for name, stored in header(self.path(shard), shard).items()}
        if not found and not index:
            raise CheckpointError(f"checkpoint {self.source}: no {' or '.join(WEIGHTS)} and no {INDEX}")
        for name, shard in index.items():
            if shard in there and name not in found:
                raise CheckpointError(
                    f"checkpoint {self.source}: the index has {name} in {shard}, which lacks it"
                )
        return {**{name: Stored(shard) for name, shard in index.items()}, **found}

    def fetch(self) -> None:
        """Make sure that all shards are here."""
        for shard in self.shards:
            self.path(shard)

    def _fetched(self, name: str) -> bool:
        from huggingface_hub import try_to_load_from_cache

        return isinstance(try_to_load_from_cache(self.source, name, revision=self.commit), str)


def header(path: Path, shard: str) -> dict[str, Stored]:
    """Names, shapes and dtypes of a safetensors file; the tensors are not read."""
    try:
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            entries: Mapping[str, Any] = json.loads(file.read(size))
    except (OSError, ValueError, struct.error) as error:
        raise CheckpointError(f"checkpoint {path}: no safetensors file ({error})") from error
    return {
        name: Stored(shard, tuple(entry["shape"]), entry["dtype"])
        for name, entry in entries.items()
        if name != "__metadata__"
    }
