"""`--launch local`: some cells at a time in processes of this machine, each with its own GPU where there is one."""

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from evaluators.core.device import cards
from evaluators.sweeps.cells import Cell
from evaluators.sweeps.runner import Launch, Options, run_cell


def local(jobs: int = 1) -> Launch:
    """`jobs` cells at a time. With GPUs a job sees one of them; more jobs than GPUs share."""

    def launch(folder: Path, cells: Sequence[Cell], options: Options) -> Iterator[tuple[Cell, str]]:
        devices: queue.Queue[str | None] = queue.Queue()
        names = cards()
        for job in range(jobs):
            devices.put(names[job % len(names)] if names else None)

        def work(cell: Cell) -> str:
            device = devices.get()
            try:
                own = {} if device is None else {"CUDA_VISIBLE_DEVICES": device}
                return run_cell(folder, cell, replace(options, environment={**options.environment, **own}))
            finally:
                devices.put(device)

        pool = ThreadPoolExecutor(jobs)
        try:
            waiting = {pool.submit(work, cell): cell for cell in cells}
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    return launch
