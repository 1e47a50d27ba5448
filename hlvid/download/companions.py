"""What a benchmark's authors publish beside its repository, such as which clip was cut from which recording."""

import json
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from hlvid.benchmarks import locate
from hlvid.benchmarks.registry import Benchmark
from hlvid.files import whole


def fetch_companions(benchmark: Benchmark, root: Path, here: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Bring to `root` those that are in none of the folders `here`: what came, and a note for what cannot be had."""
    came, notes = [], []
    for name, url in benchmark.companions:
        if locate.first(here, [name]):
            continue
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                content = answer.read()
            json.loads(content)  # and not a page that says so
            with whole(root / name) as fresh:
                fresh.write_bytes(content)
            came.append(name)
        except (OSError, HTTPException, ValueError) as error:
            notes.append(f"note: {name} could not be fetched from {url} ({error}); put it into {root}")
    return came, notes
