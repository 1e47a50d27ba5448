"""Clips a second of everything that labels are made of, and the exhaustive search against the incremental one.

    python -m benchmarks.greedy                        # one thread, 16-frame generated clips at a mean ratio of 8 %
    python -m benchmarks.greedy --clips 5 --frames 8 --exhaustive 0

Counts processor seconds of one thread, so that a busy machine changes little. The exhaustive search is timed over
`--exhaustive` tokens of one frame and scaled to a whole clip, which would take it minutes; their equality
is tested in tests/autogaze/training/test_greedy.py. Writes benchmarks/results/greedy-<hardware>.json.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autogaze.training import generator
from autogaze.training.greedy import paste, search
from autogaze.training.objectives import searched
from autogaze.training.schedule import frame_budgets
from benchmarks.encoder import hardware


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(clips: int, frames: int, exhaustive: int) -> dict[str, Any]:
    """Median processor seconds a clip, and what follows from them."""
    budgets = [frame_budgets(frames, np.random.default_rng([0, i])) for i in range(clips)]
    made = [generator.clip(i, frames) for i in range(clips)]
    row: dict[str, Any] = {
        "clips": clips,
        "frames": frames,
        "tokens_per_clip": statistics.mean(sum(each) for each in budgets),
        "generator_s": statistics.median(seconds(partial(generator.clip, i, frames)) for i in range(clips)),
        "search_paste_s": statistics.median(
            seconds(partial(searched, "paste", clip, budget))
            for clip, budget in zip(made, budgets, strict=True)
        ),
    }
    row["generator_clips_per_s"] = 1 / row["generator_s"]
    row["search_paste_clips_per_s"] = 1 / row["search_paste_s"]
    if exhaustive:
        once = seconds(lambda: search(made[0][:1], (exhaustive,), paste())) / exhaustive
        row["search_s_per_token_of_one_frame"] = once
        # A later frame's candidates carry the earlier frames along: half the clip on average.
        row["search_s_at_least"] = once * row["tokens_per_clip"]
        row["search_paste_times_faster_at_least"] = row["search_s_at_least"] / row["search_paste_s"]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument(
        "--exhaustive", type=int, default=3, help="tokens of the exhaustive search, 0 to leave it"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    measure(1, 2, 0)  # imports and caches
    row = measure(given.clips, given.frames, given.exhaustive)
    row |= {"hardware": hardware("cpu"), "torch": torch.__version__}
    name = re.sub(r"[^a-z0-9]+", "-", str(row["hardware"]).lower())
    path = Path(__file__).parent / "results" / f"greedy-{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(row, indent=2))


if __name__ == "__main__":
    main()
