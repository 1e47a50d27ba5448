"""What the language model has read of a prompt, kept so that several questions go on from there."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Read:
    """What the language model has read: keys and values of the first `length` positions, transformers' cache."""

    cache: Any
    length: int

    def forget(self) -> None:
        """Drop whatever was read after it."""
        for layer in self.cache.layers:
            layer.keys, layer.values = (x[:, :, : self.length] for x in (layer.keys, layer.values))
