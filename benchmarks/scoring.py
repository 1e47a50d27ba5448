"""How fast and how honest the statistics are; prints one JSON object.

    python benchmarks/scoring.py [--runs 1000] [--out scoring.json]

- speed: 50 submissions of HLVid's size with intervals and places (goal: under 10 s on 2 cores), and all
  1,225 pairs compared.
- coverage: how often each printed 95 % interval holds the true value: accuracies, means of categories and paired
  differences of both, on HLVid's recordings (30, one of which holds 59 of 268 questions), HLVid-Mini's (8 x 6), 150
  videos of 3 questions, and 120 single questions in 6 categories, answers correlated within recordings by `icc`.
- false_verdicts: how often equal systems are told apart: two, five at once (Holm), and by McNemar's test alone.
- places: how often 20 equal systems are all "1 to 20", and places of 8 unequal ones that a verdict contradicts (never).
- figures: coverage of the estimates that figures draw (`analysis.stats`), by number of clusters.
- power: how often the rule finds the difference that `compare` says it finds 8 times in 10.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from analysis import stats
from hlvid.scoring.accuracy import clustered, summarize, wilson
from hlvid.scoring.averages import category_mean_interval
from hlvid.scoring.compare import Comparison, compare_table
from hlvid.scoring.power import minimum_detectable_difference, rule_factor
from hlvid.scoring.ranks import better, rank_intervals
from hlvid.scoring.table import MeanOf, Table

#: Questions of each recording of the real benchmark (hlvid/questions.csv of the reference data).
HLVID = [59, 22, 19, 15, 14, 12, 12, 12, 11, 9, 9, 8, 8, 6, 5, 5, 4, 4, 4, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1]
SETS: dict[str, list[int]] = {"hlvid": HLVID, "mini": [6] * 8, "videos": [3] * 150, "single": [1] * 120}
ICCS = {"hlvid": (0.0, 0.1, 0.3), "mini": (0.0, 0.1, 0.3), "videos": (0.0, 0.1), "single": (0.0,)}
EASIER = (-0.1, -0.05, 0.0, 0.0, 0.05, 0.1)  # of six categories, against the mean
Rows = list[dict[str, Any]]


def main() -> None:
    """Measure everything, print it and write it to `--out`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="simulated benchmarks a coverage figure")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that simulate")
    arguments = parser.parse_args()
    report = {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "numpy": np.__version__,
        },
        "speed_seconds": speed(),
    }
    with ProcessPoolExecutor(arguments.workers) as pool:
        groups = [(name, icc, arguments.runs) for name in SETS for icc in ICCS[name]]
        found = pool.map(coverage, *zip(*groups, strict=True))
        told = pool.map(false_verdicts, *zip(*groups, strict=True))
        placed = pool.map(places, *zip(*groups, strict=True))
        looked = [
            (name, share, arguments.runs) for name in SETS if name != "single" for share in (0.1, 0.2, 0.4)
        ]
        powers = pool.map(power, *zip(*looked, strict=True))
        report |= {"coverage": _told(found), "false_verdicts": _told(told)}
        drawn = pool.map(figures, (2, 3, 4, 6, 8, 12, 24), [arguments.runs] * 7)
        report |= {"places": _told(placed), "power": _told(powers), "figures": _told(drawn)}
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


def _told(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All of them, each on standard error as soon as it is there: a thousand runs take half an hour."""
    found = []
    for one in results:
        print(json.dumps(one), file=sys.stderr, flush=True)
        found.append(one)
    return found


def speed(systems: int = 50) -> dict[str, float]:
    """Wall-clock seconds of each step for `systems` submissions."""
    runs = submissions(systems)
    table = Table.of(runs)
    return {
        "summaries_50": _seconds(lambda: [summarize(rows) for rows in runs.values()]),
        "rank_intervals_50": _seconds(lambda: rank_intervals(table)),
        "all_1225_pairs": _seconds(lambda: compare_table(Table.of(runs))),
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


def coverage(name: str, icc: float, runs: int) -> dict[str, Any]:
    """Share of simulated benchmarks whose interval holds the truth, by interval."""
    rng = np.random.default_rng(1)
    hits: dict[str, int] = {}
    for _ in range(runs):
        a, b, truth = simulated(name, icc, rng, gain=0.05)
        correct, clusters = [row["correct"] for row in a], [row["source"] for row in a]
        whole, parts = compare(a, b), compare(a, b, mean_of="categories")
        found = {
            "wilson": truth["accuracy"] in wilson(sum(correct), len(correct)),
            "accuracy": truth["accuracy"] in clustered(correct, clusters),
            "category mean": truth["category mean"] in category_mean_interval(a),
            "difference": truth["difference"] in whole.interval,
            "difference of category means": truth["difference"] in parts.interval,
        }
        hits = {key: hits.get(key, 0) + held for key, held in found.items()}
    return {
        "set": name,
        "icc": icc,
        "runs": runs,
        **{key: round(count / runs, 3) for key, count in hits.items()},
    }


def compare(a: Rows, b: Rows, mean_of: MeanOf = "questions") -> Comparison:
    """The one comparison of two systems."""
    (found,) = compare_table(Table.of({"A": a, "B": b}, mean_of))
    return found


def false_verdicts(name: str, icc: float, runs: int) -> dict[str, Any]:
    """Share of simulated benchmarks on which equal systems are told apart."""
    rng = np.random.default_rng(2)
    told = {"two": 0, "two, category means": 0, "any of five": 0, "two by McNemar": 0}
    for _ in range(runs):
        five = [simulated(name, icc, rng, gain=0.0)[0] for _ in range(5)]
        pair = compare(five[0], five[1])
        told["two"] += pair.conclusion != "no_evidence"
        told["two by McNemar"] += pair.mcnemar_p < 0.05
        parts = compare(five[0], five[1], mean_of="categories")
        told["two, category means"] += parts.conclusion != "no_evidence"
        told["any of five"] += bool(better(Table.of({str(at): rows for at, rows in enumerate(five)})).any())
    return {
        "set": name,
        "icc": icc,
        "runs": runs,
        **{key: round(count / runs, 3) for key, count in told.items()},
    }


def places(name: str, icc: float, runs: int) -> dict[str, Any]:
    """Share of simulated benchmarks on which 20 equal systems all have every place.

    And of 8 unequal ones: pairs whose verdict the places contradict, and pairs that no verdict but others' tell apart.
    """
    rng = np.random.default_rng(4)
    counts = {"all 1 to 20": 0, "contradicted": 0, "apart by others alone": 0}
    for _ in range(runs):
        equal = {str(at): simulated(name, icc, rng, gain=0.0)[0] for at in range(20)}
        counts["all 1 to 20"] += all(
            (one.best, one.worst) == (1, 20) for one in rank_intervals(Table.of(equal))
        )
        table = Table.of({str(at): simulated(name, icc, rng, gain=(at - 4) / 10)[0] for at in range(8)})
        ranks = {one.system: one for one in rank_intervals(table)}
        for pair in compare_table(table, power=False):
            a, b = ranks[pair.a], ranks[pair.b]
            if pair.conclusion == "no_evidence":
                counts["apart by others alone"] += a.worst < b.best or b.worst < a.best
            else:
                upper, lower = (a, b) if pair.conclusion == "a_better" else (b, a)
                counts["contradicted"] += not (upper.place < lower.place and upper.best < lower.worst)
    return {"set": name, "icc": icc, "runs": runs, **counts}


def power(name: str, discordance: float, runs: int) -> dict[str, Any]:
    """Share of simulated pairs with the stated difference that the rule finds."""
    rng = np.random.default_rng(3)
    sources = np.repeat(np.arange(len(SETS[name])), SETS[name])
    rows = [{"question_id": str(at), "source": str(one), "parsed": "A"} for at, one in enumerate(sources)]
    table = Table.of({"nobody": [{**row, "correct": False} for row in rows]})
    stated = minimum_detectable_difference(len(sources), discordance, factor=rule_factor(table))
    if stated is None:
        return {"set": name, "discordance": discordance, "stated": None}
    found = 0
    for _ in range(runs):
        toss = rng.random(len(sources))
        first, second = toss < (discordance + stated) / 2, toss > 1 - (discordance - stated) / 2
        a, b = (
            [{**row, "correct": bool(one)} for row, one in zip(rows, side, strict=True)]
            for side in (first, second)
        )
        (pair,) = compare_table(Table.of({"a": a, "b": b}), power=False)
        found += pair.conclusion == "a_better"
    return {
        "set": name,
        "discordance": discordance,
        "runs": runs,
        "stated": round(stated, 3),
        "found": round(found / runs, 3),
    }


def figures(clusters: int, runs: int) -> dict[str, Any]:
    """Coverage of what `analysis.stats` estimates: 12 values a cluster, cluster effects as large as the rest."""
    rng = np.random.default_rng(5)
    label = np.repeat(np.arange(clusters), 12)
    labels, first = label.tolist(), np.arange(len(label)) % 2 == 0
    hits = {"mean": 0, "difference": 0, "share": 0, "rank correlation": 0}
    for _ in range(runs):
        values = rng.normal(0, 1, clusters)[label] + rng.normal(0, 1, len(label))
        gains = values + first * rng.normal(0, 1, clusters)[label]
        right = rng.random(len(label)) < rng.beta(0.7 * 4, 0.3 * 4, clusters)[label]
        other = rng.normal(0, 1, clusters)[label] + rng.normal(0, 1, len(label))
        found = {
            "mean": (0.0, stats.mean(values, labels)),
            "difference": (0.0, stats.difference(gains, first, labels)),
            "share": (0.7, stats.share(right, labels)),
            "rank correlation": (0.0, stats.rank_correlation(other, values, labels).rho),
        }  # fmt: skip
        hits = {name: hits[name] + (one.low <= truth <= one.high) for name, (truth, one) in found.items()}
    return {"clusters": clusters, "runs": runs, **{name: round(n / runs, 3) for name, n in hits.items()}}


def simulated(
    name: str, icc: float, rng: np.random.Generator, gain: float, rate: float = 0.5
) -> tuple[Rows, Rows, dict[str, float]]:
    """Two systems on recordings of which each has its own ease (beta) and its own gain; and what is true of them.

    Of six categories some are easier; a system's gain varies by recording (standard deviation 0.1 x icc / 0.1).
    """
    sizes = np.array(SETS[name])
    n, groups = int(sizes.sum()), len(sizes)
    scale = (1 - icc) / icc if icc else 0.0
    ease = rng.beta(rate * scale, (1 - rate) * scale, groups) if icc else np.full(groups, rate)
    gains = np.repeat(gain + (rng.normal(0, icc, groups) if icc else np.zeros(groups)), sizes)
    where = np.arange(n) % len(EASIER)
    shift, sources = np.array(EASIER)[where], np.repeat(np.arange(groups), sizes)
    toss = rng.random(n)
    luck = np.where(rng.random(n) < 0.6, toss, rng.random(n))  # the two agree on most questions
    chance = np.repeat(ease, sizes) * (1 - 2 * abs(shift)) + abs(shift) + shift
    sides = [toss < chance + gains, luck < chance]
    rows = [
        [
            {
                "question_id": str(at),
                "correct": bool(ok),
                "parsed": "A",
                "source": str(source),
                "category": f"c{kind}",
            }
            for at, (ok, source, kind) in enumerate(zip(side, sources, where, strict=True))
        ]
        for side in sides
    ]
    weights = np.bincount(where) / n
    accuracy = _truth(icc, gain, rate)
    return (
        rows[0],
        rows[1],
        {
            "accuracy": float(weights @ accuracy[0]),
            "category mean": float(accuracy[0].mean()),
            "difference": float(weights @ (accuracy[0] - accuracy[1])),
        },
    )


@lru_cache
def _truth(icc: float, gain: float, rate: float) -> tuple[Any, Any]:
    """Each category's accuracy for both systems over all recordings that there could be (400,000 drawn)."""
    rng = np.random.default_rng(9)
    scale = (1 - icc) / icc if icc else 0.0
    ease = rng.beta(rate * scale, (1 - rate) * scale, 400_000) if icc else np.full(1, rate)
    gains = gain + (rng.normal(0, icc, len(ease)) if icc else 0.0)
    chances = [ease * (1 - 2 * abs(shift)) + abs(shift) + shift for shift in EASIER]
    return (
        np.array([np.clip(one + gains, 0, 1).mean() for one in chances]),
        np.array([one.mean() for one in chances]),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return round(time.perf_counter() - start, 3)


if __name__ == "__main__":
    main()
