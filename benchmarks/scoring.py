"""How fast and how honest the statistics are; prints one JSON object.

    python benchmarks/scoring.py [--runs 1000] [--out scoring.json]

- speed: 50 submissions of HLVid's size x 10,000 clustered bootstrap draws, with intervals and rank intervals
  (goal: under 10 s on 2 cores), and all 1,225 pairs compared.
- coverage: how often nominal 95 % intervals hold the true accuracy, on HLVid's recordings (30, one of which holds 59
  of 268 questions) and on HLVid-Mini's (6 x 8), with answers correlated within recordings by `icc`.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hlvid.scoring.accuracy import cluster_bootstrap, summarize, wilson
from hlvid.scoring.compare import compare_all
from hlvid.scoring.ranks import rank_intervals
from hlvid.scoring.table import Table

#: Questions of each recording of the real benchmark (hlvid/questions.csv of the reference data).
HLVID = [59, 22, 19, 15, 14, 12, 12, 12, 11, 9, 9, 8, 8, 6, 5, 5, 4, 4, 4, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1]
MINI = [8] * 6
DRAWS = 10_000
Rows = list[dict[str, Any]]


def main() -> None:
    """Measure everything, print it and write it to `--out`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="simulated benchmarks a coverage figure")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    arguments = parser.parse_args()
    report = {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "numpy": np.__version__,
        },
        "speed_seconds": speed(),
        "coverage": [
            coverage(name, icc, arguments.runs) for name in ("hlvid", "mini") for icc in (0.0, 0.1, 0.3)
        ],
    }
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


def speed(systems: int = 50) -> dict[str, float]:
    """Wall-clock seconds of each step for `systems` submissions."""
    runs = submissions(systems)
    table = Table.of(runs)
    return {
        "bootstrap_50_x_10000": _seconds(lambda: table.resampled(DRAWS, 0)),
        "summaries_50": _seconds(lambda: [summarize(rows, draws=DRAWS) for rows in runs.values()]),
        "rank_intervals_50": _seconds(lambda: rank_intervals(table, draws=DRAWS)),
        "all_1225_pairs": _seconds(lambda: compare_all(runs, draws=DRAWS)),
    }


def submissions(systems: int) -> dict[str, Rows]:
    """Random submissions of rising skill."""
    rng = np.random.default_rng(0)
    sources = np.repeat(np.arange(len(HLVID)), HLVID)
    return {
        f"system {index}": [
            {"question_id": str(number), "correct": bool(right), "parsed": "A" if right else "B",
             "source": f"recording {source}", "category": "av" if source % 2 else "household", "tier": None}
            for number, (right, source) in enumerate(zip(rng.random(len(sources)) < skill, sources, strict=True))
        ]
        for index, skill in enumerate(np.linspace(0.25, 0.6, systems))
    }  # fmt: skip


def coverage(name: str, icc: float, runs: int, rate: float = 0.5) -> dict[str, Any]:
    """Share of simulated benchmarks whose interval holds `rate`, by method; rates of recordings are beta."""
    rng = np.random.default_rng(1)
    sizes = np.array(HLVID if name == "hlvid" else MINI)
    clusters = np.repeat(np.arange(len(sizes)), sizes).tolist()
    hits = {"wilson": 0, "percentile bootstrap": 0, "cluster bootstrap": 0}
    for _ in range(runs):
        scale = (1 - icc) / icc if icc else 0.0
        rates = rng.beta(rate * scale, (1 - rate) * scale, len(sizes)) if icc else np.full(len(sizes), rate)
        correct = (rng.random(len(clusters)) < np.repeat(rates, sizes)).astype(int)
        hits["wilson"] += rate in wilson(int(correct.sum()), len(clusters))
        hits["percentile bootstrap"] += rate in cluster_bootstrap(correct, clusters, draws=1000, widen=False)
        hits["cluster bootstrap"] += rate in cluster_bootstrap(correct, clusters, draws=1000)
    return {
        "benchmark": name,
        "icc": icc,
        "runs": runs,
        **{key: round(count / runs, 3) for key, count in hits.items()},
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return round(time.perf_counter() - start, 3)


if __name__ == "__main__":
    main()
