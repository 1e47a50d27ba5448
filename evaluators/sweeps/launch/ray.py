"""`--launch ray`: cells as tasks of an existing Ray cluster; a node that dies gives its cells to the others."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluators.sweeps.cells import Cell
from evaluators.sweeps.runner import Launch, Options, run_cell
from hlvid.errors import RunError


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
