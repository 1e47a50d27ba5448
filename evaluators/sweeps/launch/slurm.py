"""`--launch slurm`: cells as an array of Slurm jobs through submitit.

`cluster="local"` runs the same jobs as processes of this machine, `cluster="debug"` in this one.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evaluators.sweeps.cells import Cell
from evaluators.sweeps.runner import Launch, Options, run_cell
from hlvid.errors import RunError

POLL = 1.0


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
