"""A published checkpoint as files: a folder, or a hub id of which each file is fetched when it is wanted."""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from autogaze.model.checkpoint import CheckpointError, find_file, json_object

WEIGHTS = ("model-*-of-*.safetensors", "model.safetensors")
SUFFIX = ".safetensors"
INDEX = "*.index.json"


@dataclass(frozen=True)
class Stored:
    """A tensor as its file has it; the shape is None where only the index is at hand."""

    file: str
    shape: tuple[int, ...] | None = None


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
        """What a file says, None if there is none. Raises CheckpointError where it is no UTF-8."""
        if name not in self.names:
            return None
        try:
            return self.path(name).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise CheckpointError(f"checkpoint {self.source}: {name}: no text in UTF-8 ({error})") from error

    def json(self, name: str) -> dict[str, Any]:
        """A file's JSON object, empty if there is none. Raises CheckpointError for anything else."""
        return json_object(self.path(name)) if name in self.names else {}

    def matching(self, pattern: str) -> list[str]:
        """Names of files like `*.py`."""
        return [name for name in self.names if fnmatch.fnmatch(name, pattern)]

    @cached_property
    def shards(self) -> list[str]:
        """Weight files in order; empty where only an index is at hand."""
        return next((found for pattern in WEIGHTS if (found := self.matching(pattern))), [])

    def tensors(self) -> dict[str, Stored]:
        """Every tensor by name, in the order of the files, of what is here: headers of shards, else the index.

        Raises CheckpointError where index and shards disagree, one of several shards is not there, or none is and no
        index.
        """
        index = self._index()
        if not self.shards and not index:
            raise CheckpointError(f"checkpoint {self.source}: no {' or '.join(WEIGHTS)} and no {INDEX}")
        if absent := sorted(self._promised(index) - set(self.names)):
            raise CheckpointError(
                f"checkpoint {self.source}: no {', '.join(absent)}, which the index or the other shards' numbers "
                "promise; fetch what is missing"
            )
        found: dict[str, Stored] = {}
        there = [shard for shard in self.shards if Path(self.source).is_dir() or self._fetched(shard)]
        for shard in there:
            for name, stored in header(self.path(shard), shard).items():
                if name in found:
                    raise CheckpointError(
                        f"checkpoint {self.source}: {name} is in {found[name].file} and in {shard}; "
                        "one is of another model"
                    )
                found[name] = stored
        for name, shard in index.items():
            if shard in there and name not in found:
                raise CheckpointError(
                    f"checkpoint {self.source}: the index has {name} in {shard}, which lacks it"
                )
        return {**{name: Stored(shard) for name, shard in index.items()}, **found}

    def _index(self) -> dict[str, str]:
        """Tensor to file; where there are shards, not what an index says of files of another kind."""
        index: dict[str, str] = {}
        for name in self.matching(INDEX):
            given = self.json(name).get("weight_map")
            if not isinstance(given, dict) or not all(isinstance(shard, str) for shard in given.values()):
                raise CheckpointError(f"checkpoint {self.source}: {name}: no weight_map of tensors to files")
            index |= given
        return {name: shard for name, shard in index.items() if not self.shards or shard.endswith(SUFFIX)}

    def _promised(self, index: Mapping[str, str]) -> set[str]:
        """Shards that there have to be, if there are any."""
        promised = set(index.values()) if self.shards else set()
        for shard in self.shards:
            if count := re.fullmatch(r"model-\d{5}-of-(\d{5})\.safetensors", shard):
                promised |= {f"model-{n:05d}-of-{count[1]}{SUFFIX}" for n in range(1, int(count[1]) + 1)}
        return promised

    def fetch(self) -> None:
        """Make sure that all shards are here."""
        for shard in self.shards:
            self.path(shard)

    def _fetched(self, name: str) -> bool:
        from huggingface_hub import try_to_load_from_cache

        return isinstance(try_to_load_from_cache(self.source, name, revision=self.commit), str)


def header(path: Path, shard: str) -> dict[str, Stored]:
    """Names and shapes of a safetensors file; the tensors are not read. Raises CheckpointError for a part of one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "pt") as file:
            return {name: Stored(shard, tuple(file.get_slice(name).get_shape())) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"checkpoint {path}: no whole safetensors file ({error}); fetch it again, of a git repository with git-lfs"
        ) from error
