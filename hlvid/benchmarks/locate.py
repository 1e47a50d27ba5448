"""Finds a benchmark's files on this machine, by one rule for questions, videos and subtitles.

Example::

    benchmark = registry.get("videomme")
    folders(benchmark)                                  # [~/.cache/hlvid/videomme, ~/.cache/huggingface/…]
    find(benchmark, ["data/fFjv93ACGo8.mp4"])           # the first that exists, or None

The rule: `$HLVID_DATA/<name>` first, then the folder where lmms-eval unpacks (`$HF_HOME/<unpacked>`), then the
snapshot in the hub's cache. A file is taken from the first of them that has it, so questions may come from one
and videos from another.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hlvid.benchmarks.registry import Benchmark
from hlvid.paths import data_home


def home(benchmark: Benchmark) -> Path:
    """Our own folder of a benchmark: the first place looked at, and where `hlvid data prepare` writes."""
    return data_home() / benchmark.name


def folders(benchmark: Benchmark) -> list[Path]:
    """The places that exist, in the order of the rule."""
    candidates = [home(benchmark), hf_home() / benchmark.unpacked, *_snapshots(benchmark)]
    return [place for place in dict.fromkeys(candidates) if place.is_dir()]


def find(benchmark: Benchmark, names: Iterable[str]) -> Path | None:
    """The first existing file of these relative paths, the order of places before that of names."""
    wanted = list(names)
    paths = (place / name for place in folders(benchmark) for name in wanted)
    return next((path for path in paths if path.is_file()), None)


def tables(benchmark: Benchmark, task: str) -> list[Path]:
    """The question files of a task, from the first place that has all of them; [] where none has."""
    for place in folders(benchmark):
        found = [sorted(place.glob(pattern)) for pattern in benchmark.tables[task]]
        if all(found) and all(_complete(paths) for paths in found):
            return [path for paths in found for path in paths]
    return []


def hf_home() -> Path:
    """`$HF_HOME`, else where the hub's client keeps its files by default."""
    if chosen := os.environ.get("HF_HOME"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface"


def _complete(paths: Sequence[Path]) -> bool:
    """Whether "test-00000-of-00002.parquet" comes with as many others as it says."""
    match = re.search(r"-of-(\d{5})$", paths[0].stem)
    return match is None or int(match[1]) == len(paths)


def _snapshots(benchmark: Benchmark) -> Iterator[Path]:
    """The repository's snapshot of our revision in the hub's cache, under its present and former names."""
    cache = Path(os.environ.get("HF_HUB_CACHE") or hf_home() / "hub").expanduser()
    for repo in (benchmark.repo, *benchmark.former):
        folder = cache / f"datasets--{repo.replace('/', '--')}"
        pointer = folder / "refs" / benchmark.revision
        if pointer.is_file():
            yield folder / "snapshots" / pointer.read_text(encoding="utf-8").strip()
