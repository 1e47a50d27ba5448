"""Seconds by stage of one piece of work, a GPU's unfinished work included."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Stages:
    """Adds up the seconds spent in each named stage."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time of the block to `name`, also when it raises."""
        started = self._now()
        try:
            yield
        finally:
            self.add(name, self._now() - started)

    def add(self, name: str, seconds: float) -> None:
        """Add seconds measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
