"""Finds a benchmark's files on this machine, by one rule for questions, videos and subtitles.

The rule: in each data root its folder `<name>` or, where the root is itself a copy of the repository, the root;
then the folder where lmms-eval unpacks (`$HF_HOME/<unpacked>`); then the snapshot in the hub's cache. A file is
taken from the first of them that has it, so questions may come from one and videos from another.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hlvid.benchmarks.registry import Benchmark
from hlvid.paths import data_home, data_roots, hf_home, hub_cache


def home(benchmark: Benchmark) -> Path:
    """Our own folder of a benchmark: where downloads go."""
    return data_home() / benchmark.name


def folders(benchmark: Benchmark) -> list[Path]:
    """The places that exist, in the order of the rule."""
    candidates: list[Path] = []
    for root in data_roots():
        copies = [root] if any(_has(root, patterns) for patterns in benchmark.tables.values()) else []
        candidates += [root / benchmark.name, *copies]
    candidates += [hf_home() / benchmark.unpacked, *_snapshots(benchmark)]
    return [place for place in dict.fromkeys(candidates) if place.is_dir()]


def find(benchmark: Benchmark, names: Iterable[str]) -> Path | None:
    """The first existing file of these relative paths, the order of places before that of names."""
    return first(folders(benchmark), names)


def first(places: Iterable[Path], names: Iterable[str]) -> Path | None:
    """As `find`, in places looked up before: for many files of one benchmark."""
    wanted = list(names)
    paths = (place / name for place in places for name in wanted)
    return next((path for path in paths if path.is_file()), None)


def tables(benchmark: Benchmark, task: str, places: Sequence[Path] | None = None) -> list[Path]:
    """A task's question files, from the first of `places` (by default `folders`) that has all; [] where none has."""
    for place in folders(benchmark) if places is None else places:
        if _has(place, benchmark.tables[task]):
            return [path for pattern in benchmark.tables[task] for path in sorted(place.glob(pattern))]
    return []


def _has(place: Path, patterns: Sequence[str]) -> bool:
    found = [sorted(place.glob(pattern)) for pattern in patterns]
    return all(paths and _complete(paths) for paths in found)


def _complete(paths: Sequence[Path]) -> bool:
    """Whether "test-00000-of-00002.parquet" comes with as many others as it says."""
    match = re.search(r"-of-(\d{5})$", paths[0].stem)
    return match is None or int(match[1]) == len(paths)


def _snapshots(benchmark: Benchmark) -> Iterator[Path]:
    """The repository's snapshot of our revision in the hub's cache, under its present and former names."""
    for repo in (benchmark.repo, *benchmark.former):
        folder = hub_cache() / f"datasets--{repo.replace('/', '--')}"
        pointer = folder / "refs" / benchmark.revision
        commit = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else benchmark.revision
        yield folder / "snapshots" / commit
