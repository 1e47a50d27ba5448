"""What is served to the model that is being asked, and what it took of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluators.models.frames.delivery import Delivery
from hlvid.errors import RunError


@dataclass
class Served:
    """What a model took while it was served: by which readers, and which of the frames at each opening of the file."""

    delivery: Delivery
    readers: list[str] = field(default_factory=list)
    takes: list[list[int]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the model took each frame once and in order.

        It may do so more than once, or open the file besides for its first frame, to learn the size.
        """
        whole = list(range(self.delivery.count))
        looked = [take for take in self.takes if take and (take != [0] or take == whole)]
        return bool(looked) and all(take == whole * (len(take) // len(whole)) for take in looked)

    @property
    def taken(self) -> set[int]:
        """The frames that it took at any time."""
        return {place for take in self.takes for place in take}

    def open(self, path: Any, reader: str) -> Delivery:
        """The delivery, if the path is the one that is served."""
        asked = path[0] if isinstance(path, list | tuple) and len(path) == 1 else path
        if Path(str(asked).removeprefix("file://")) != self.delivery.path:
            raise RunError(f"the model reads {asked!r} with {reader}, but was given {self.delivery.path}")
        self.readers.append(reader)
        self.takes.append([])
        return self.delivery


_serving: list[Served] = []


@contextmanager
def now(served: Served) -> Iterator[Served]:
    """In here, readers give its delivery."""
    _serving.append(served)
    try:
        yield served
    finally:
        _serving.pop()


def opened(path: Any, reader: str) -> tuple[Delivery, list[int]]:
    """The delivery, and the list that notes which of its frames are taken. Raises RunError for any other path."""
    if not _serving:
        raise RunError(f"{path}: read with {reader} while no question was being asked")
    served = _serving[-1]
    return served.open(path, reader), served.takes[-1]


def take(path: Any, reader: str) -> Delivery:
    """Open, and take all frames."""
    delivery, taken = opened(path, reader)
    taken += range(delivery.count)
    return delivery
