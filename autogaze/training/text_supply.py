"""What scenes are composed of, made while a device is busy: grounds by processes, draws by threads."""

import multiprocessing
import queue
import threading
from functools import partial
from multiprocessing.pool import IMapIterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from autogaze.training.text_scenes import Scenes
from autogaze.training.text_strips import worth
from autogaze.training.text_tiles import ground

GROUND, TOGETHER = 320, 64
"""Sides of grounds in px, whose windows tiles are; chunks of them that are taken in at once."""


class Ahead:
    """What is drawn for the next batches, by two threads, while the device is busy."""

    def __init__(self, scenes: Scenes, seed: int, batch: int, threads: int = 2) -> None:
        self.ready: queue.Queue[Any] = queue.Queue(8)
        self.over = threading.Event()
        for number in range(threads):
            work = partial(self._draw, scenes, np.random.default_rng([seed, 14, number]), batch)
            threading.Thread(target=work, daemon=True).start()

    def _draw(self, scenes: Scenes, draw: np.random.Generator, batch: int) -> None:
        while not self.over.is_set():
            drawn = scenes.drawn(draw, batch)
            plan = (drawn, *worth(drawn), np.random.default_rng(draw.integers(2**62)))
            while not self.over.is_set():
                try:
                    self.ready.put(plan, timeout=0.2)
                    break
                except queue.Full:
                    pass

    def next(self) -> Any:
        """Of one batch; see `Scenes.composed`."""
        return self.ready.get()

    def stop(self) -> None:
        """End the threads."""
        self.over.set()


def waiting(made: "IMapIterator[NDArray[np.uint8]]") -> list[NDArray[np.uint8]]:
    """What processes have finished since the last call; none is waited for."""
    found: list[NDArray[np.uint8]] = []
    while len(found) < TOGETHER:
        try:
            found.append(made.next(timeout=0))
        except (multiprocessing.TimeoutError, StopIteration):
            break
    return found


def grounds(seed: int) -> NDArray[np.uint8]:
    """Sixteen generated squares, uint8 (16, 3, 320, 320)."""
    cv2.setNumThreads(1)
    draw = np.random.default_rng([seed, 15])
    return np.stack([_square(np.asarray(ground(draw, GROUND))) for _ in range(16)])


def opened(path: Path) -> NDArray[np.uint8]:
    """The squares of a zip file."""
    with ZipFile(path) as file:
        coded = [np.frombuffer(file.read(name), np.uint8) for name in sorted(file.namelist())]
    return np.stack([_square(np.asarray(cv2.imdecode(one, cv2.IMREAD_COLOR))[..., ::-1]) for one in coded])


def _square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture.transpose(2, 0, 1))
