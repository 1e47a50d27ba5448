"""How many clips go together on a device, and clips gazed side by side on a CPU, each thread decoding some of them.

The decoding loop is hundreds of small steps, and to split each of them among the cores means to wait for each
other some fifty times a step. Clips do not depend on each other, so whole clips are split instead. Eight tiles
take two cores as long as they do with threads that spin inside every step, and half as long as with threads
that sleep in between (`hlvid.threads` says why commands want those).
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import Tensor

from autogaze.gaze import Gaze

MOST = 4  # threads of one clip: its steps are too small for more, which would also round differently
FEW = 16  # clips of a CPU's thread, or of an accelerator that does not tell its memory: more are no faster


def at_once(device: torch.device, each: int) -> int:
    """Clips to take together where each needs `each` bytes, at least 1. No answer may depend on it.

    On a GPU half of the free memory, what torch keeps for reuse included; elsewhere so many a thread, whatever is free.
    """
    if device.type != "cuda":
        return FEW * torch.get_num_threads()
    free, _ = torch.cuda.mem_get_info(device)
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(1, free // 2 // each)


def shares(clips: Tensor, most: int) -> tuple[Tensor, ...]:
    """Clips (B, ...) in as few parts of at most so many as there can be, all about as large."""
    parts = max(1, -(-len(clips) // most))
    return torch.tensor_split(clips, parts)


def side_by_side(work: Callable[[Tensor], Gaze], video: Tensor, most: int) -> Gaze:
    """`work` on clips (B, ...), at most so many together, the gazes as one batch in order.

    Clips on a CPU at the same time, as many shares as torch may use threads, each on one thread. A single clip has up
    to four, unless they sleep between steps.
    """
    each = _threaded if video.device.type == "cpu" else lambda work, part: work(part)
    return Gaze.cat([each(work, part) for part in shares(video, most)])


def _threaded(work: Callable[[Tensor], Gaze], video: Tensor) -> Gaze:
    allowed = torch.get_num_threads()
    busy = min(len(video), allowed)
    if busy == 1:
        with threads(1 if _threads_sleep() else min(allowed, MOST)):
            return work(video)
    with threads(1), ThreadPoolExecutor(busy, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return Gaze.cat(list(pool.map(work, torch.tensor_split(video, busy))))


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Torch's operations on so many threads, here and in what starts meanwhile; then on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _threads_sleep() -> bool:
    """Whether OpenMP's threads sleep while they wait: one clip then takes two of them longer than one."""
    return os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE"
