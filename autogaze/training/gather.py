"""Work for several processes, and arrays that many draws make by them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Job = TypeVar("Job")
Made = TypeVar("Made")


def spread(work: Callable[[Job], Made], jobs: Sequence[Job], processes: int) -> Iterator[Made]:
    """What `work` makes of each job, in order; it has to be picklable where there are more processes."""
    if processes == 1:
        yield from map(work, jobs)
        return
    # Spawned, not forked: torch's and OpenCV's threads do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, jobs)


def gather(work: Callable[[range], Made], seeds: range, together: int, processes: int) -> Made:
    """What `work` makes of all seeds, `together` at a time, as one; with progress on stderr.

    It returns a dataclass of arrays with a row for each seed.
    """
    from tqdm import tqdm

    parts = [seeds[n : n + together] for n in range(0, len(seeds), together)]
    arrays: dict[str, NDArray[np.generic]] = {}
    results = spread(work, parts, processes if len(parts) > 1 else 1)
    for n, part in enumerate(tqdm(results, total=len(parts), desc="pictures", leave=False)):
        if n == 0:  # one allocation: joined at the end, they would be in memory twice
            arrays = {
                name: np.empty((len(seeds), *rows.shape[1:]), rows.dtype) for name, rows in vars(part).items()
            }
        for name, rows in vars(part).items():
            arrays[name][n * together : n * together + len(rows)] = rows
    return type(part)(**arrays)
