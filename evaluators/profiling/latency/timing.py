"""Timing one piece of work: warm-up, rounds, medians with spread, peak memory; running out of memory is a result."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from autogaze.nvila.stages import Stages
from evaluators.core.memory import Peak, is_out_of_memory, release
from evaluators.profiling.latency.schema import Status
from hlvid.errors import first_line

Work = Callable[[Stages], Mapping[str, Any]]
"""Does the work, measuring its stages; returns counts (patches, llm_tokens, …) for the row."""


@dataclass(frozen=True)
class Timing:
    """Seconds of `n` rounds after a warm-up: median, fastest, slowest, medians by stage; what the work counted."""

    status: Status
    n: int = 0
    median: float | None = None
    low: float | None = None
    high: float | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def fields(self) -> dict[str, Any]:
        """The entries of a `schema.Row` that this knows."""
        return {
            "status": self.status,
            "n": self.n,
            "median_s": self.median,
            "low_s": self.low,
            "high_s": self.high,
            "stages": dict(self.stages),
            "peak_bytes": self.peak_bytes,
            "note": self.note,
            **self.counts,
        }


def measure(work: Work, *, rounds: int, device: torch.device | str = "cpu", warmup: int = 1) -> Timing:
    """Time `work`; the sum of its stages counts, so what it does between them (copies for the record) is free.

    Raises ValueError for fewer than one round; whatever `work` raises but running out of memory.
    """
    if rounds < 1:
        raise ValueError(f"rounds={rounds}: expected 1 or more")
    device = torch.device(device)
    seen: list[dict[str, float]] = []
    counts: Mapping[str, Any] = {}
    try:
        with Peak(device) as peak:
            for _ in range(warmup + rounds):
                stages = Stages(device)
                counts = work(stages)
                seen.append(stages.seconds)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        release()
        return Timing("out_of_memory", note=first_line(error)[:200])
    return _timing(seen[warmup:], counts, peak.bytes)


def _timing(rounds: list[dict[str, float]], counts: Mapping[str, Any], peak: int | None) -> Timing:
    totals = [sum(stages.values()) for stages in rounds]
    names = list(dict.fromkeys(name for stages in rounds for name in stages))
    return Timing(
        "ok",
        n=len(rounds),
        median=statistics.median(totals),
        low=min(totals),
        high=max(totals),
        stages={name: statistics.median(stages.get(name, 0.0) for stages in rounds) for name in names},
        peak_bytes=peak,
        counts=counts,
    )
