"""Clips gazed side by side on a CPU: each thread decodes some of them, on a core of its own.

    gaze = side_by_side(lambda part: Stream(model, len(part)).gaze(part, ratio=0.1), video)

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


def side_by_side(work: Callable[[Tensor], Gaze], video: Tensor, at_once: int | None = None) -> Gaze:
    """`work` on shares of the clips of video (B, ...), the gazes as one batch in order.

    On a CPU at the same time, as many shares as torch may use threads, each on one thread. A single clip has up to
    four, unless they sleep between steps. at_once: for an accelerator, which takes so many clips in a share, one share
    after another.
    """
    if at_once is not None:
        return Gaze.cat([work(part) for part in torch.split(video, at_once)])
    allowed = torch.get_num_threads()
    shares = min(len(video), allowed)
    if shares == 1:
        with threads(1 if _threads_sleep() else min(allowed, MOST)):
            return work(video)
    with threads(1), ThreadPoolExecutor(shares, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return Gaze.cat(list(pool.map(work, torch.tensor_split(video, shares))))


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
