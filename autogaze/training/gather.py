"""Arrays that many draws make, by several processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Made = TypeVar("Made")


def gather(work: Callable[[range], Made], seeds: range, together: int, processes: int) -> Made:
    """What `work` makes of all seeds, `together` at a time, as one; with progress on stderr.

    It returns a dataclass of arrays with a row for each seed, and has to be picklable where there are more processes.
    """
    from tqdm import tqdm

    parts = [seeds[n : n + together] for n in range(0, len(seeds), together)]
    arrays: dict[str, NDArray[np.generic]] = {}
    with ExitStack() as stack:
        results: Iterator[Made] = map(work, parts)
        if processes > 1 and len(parts) > 1:
            # Spawned, not forked: torch's and OpenCV's threads do not survive a fork.
            pool = stack.enter_context(ProcessPoolExecutor(processes, mp_context=get_context("spawn")))
            results = pool.map(work, parts)
        for n, part in enumerate(tqdm(results, total=len(parts), desc="pictures", leave=False)):
            if n == 0:  # one allocation: joined at the end, they would be in memory twice
                arrays = {
                    name: np.empty((len(seeds), *rows.shape[1:]), rows.dtype)
                    for name, rows in vars(part).items()
                }
            for name, rows in vars(part).items():
                arrays[name][n * together : n * together + len(rows)] = rows
    return type(part)(**arrays)
