"""Where a sweep's cells run: in processes here, on a Ray cluster, or on Slurm. Each runs `run_cell`, which is safe.

`--launch local`: some cells at a time, each with its own GPU where there is one. `--launch ray`: tasks of an existing
cluster; a node that dies gives its cells to the others. `--launch slurm`: an array of jobs through submitit;
`cluster="local"` runs the same jobs as processes of this machine, `cluster="debug"` in this one.
"""

import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluators.core.device import cards
from evaluators.sweeps.cells import Cell
from evaluators.sweeps.runner import Launch, Options, run_cell
from hlvid.errors import RunError

POLL = 1.0


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


def on_ray(address: str = "auto", gpus: float = 0, cpus: float = 1, retries: int = 3) -> Launch:
    """gpus, cpus: of each cell. retries: how often a cell is started anew when its node dies."""

    def launch(folder: Path, cells: Sequence[Cell], options: Options) -> Iterator[tuple[Cell, str]]:
        ray = _ray(address)
        task = ray.remote(num_gpus=gpus, num_cpus=cpus, max_retries=retries)(run_cell)
        waiting = {task.remote(folder.absolute(), cell, options): cell for cell in cells}
        while waiting:
            ready, _ = ray.wait(list(waiting))
            for reference in ready:
                cell = waiting.pop(reference)
                try:
                    yield cell, ray.get(reference)
                except ray.exceptions.RayError as error:
                    yield cell, f"error ({type(error).__name__})"  # no record: the next sweep runs it

    return launch


def _ray(address: str):  # type: ignore[no-untyped-def]  # a module without types
    try:
        import ray
    except ImportError as error:
        raise RunError("sweep: --launch ray needs Ray; pip install 'hlvid[ray]'") from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False)
        except ConnectionError as error:
            raise RunError(
                f"sweep: no Ray cluster at {address!r}; start one with 'ray start --head'"
            ) from error
    return ray


def on_slurm(logs: Path, cluster: str | None = None, **parameters: Any) -> Launch:
    """logs: folder for submitit's files, on a disk that all nodes share. parameters: of `submitit`'s executor."""

    def launch(folder: Path, cells: Sequence[Cell], options: Options) -> Iterator[tuple[Cell, str]]:
        try:
            import submitit
        except ImportError as error:
            raise RunError("sweep: --launch slurm needs submitit; pip install 'hlvid[slurm]'") from error
        if not cells:
            return
        executor = submitit.AutoExecutor(folder=str(logs.absolute()), cluster=cluster)
        executor.update_parameters(**parameters)
        places = [folder.absolute()] * len(cells)
        jobs = executor.map_array(run_cell, places, cells, [options] * len(cells))
        waiting = dict(zip(jobs, cells, strict=True))
        while waiting:
            for job in [job for job in waiting if job.done()]:
                cell = waiting.pop(job)
                fault = job.exception()
                yield cell, job.result() if fault is None else f"error ({type(fault).__name__})"
            time.sleep(POLL if waiting else 0)

    return launch
