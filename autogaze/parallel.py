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


def side_by_side(work: Callable[[Tensor], Gaze], video: Tensor) -> Gaze:
    """`work` on shares of the clips of video (B, ...) at the same time, the gazes as one batch in order.

    As many shares as torch may use threads, each on one thread. A single clip has up to four, unless they sleep
    between steps. The caller's own thread works where the clips are not on a CPU, and under autocast, of which
    threads of our own would not know.
    """
    threads = torch.get_num_threads()
    shares = min(len(video), threads)
    each = 1 if shares > 1 or _threads_sleep() else min(threads, MOST)
    same = shares == 1 and each == threads
    if same or video.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return work(video)
    try:
        with ThreadPoolExecutor(shares, initializer=torch.set_num_threads, initargs=(each,)) as pool:
            return Gaze.cat(list(pool.map(work, torch.tensor_split(video, shares))))
    finally:
        # The number is also what threads started later begin with.
        torch.set_num_threads(threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch's operations on one thread: convolutions round differently with each number of them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _threads_sleep() -> bool:
    """Whether OpenMP's threads sleep while they wait: one clip then takes two of them longer than one."""
    return os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE"
