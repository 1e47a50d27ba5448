"""Which decoding loop a device gets, in which precision, and the loops at hand from earlier calls.

Fusing the weights takes longer than gazing at a short clip, and recorded steps cost a second: both are kept with the
network until a weight changes.
"""

import threading
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from autogaze.model.choosing import Request
from autogaze.model.config import AutoGazeConfig
from autogaze.model.decode import Decoder
from autogaze.model.network import Network
from autogaze.model.static import StaticDecoder


class Loop(Protocol):
    """What both loops do; a state is the loop's own business."""

    device: torch.device
    dtype: torch.dtype

    def start(self, batch: int, capacity: int) -> Any:
        """An empty state for `batch` clips."""

    def frame(self, state: Any, features: Tensor, request: Request) -> tuple[Tensor, Tensor]:
        """Features (B, 196, C) -> tokens long (B, n), padded bool (B, n)."""

    def finish(self, state: Any) -> None:
        """The state is not needed any more."""


_kept: WeakKeyDictionary[Network, tuple[object, Loop]] = WeakKeyDictionary()
_lock = threading.Lock()


def decoder_for(network: Network, config: AutoGazeConfig, dtype: torch.dtype | None = None) -> Loop:
    """The loop that suits the device of `network`, computing in `dtype` (None: the weights' own)."""
    now = (_weights(network), dtype, config)
    with _lock:
        known = _kept.get(network)
        if known is not None and known[0] == now:
            return known[1]
        kind = Decoder if next(network.parameters()).device.type == "cpu" else StaticDecoder
        loop: Loop = kind(network, config, dtype)
        _kept[network] = (now, loop)
    return loop


def compute_dtype(asked: torch.dtype | None, device: torch.device) -> torch.dtype | None:
    """The precision of products: as asked, else that of the autocast region we are in, else None, the weights' own."""
    if asked is None and torch.is_autocast_enabled(device.type):
        return torch.get_autocast_dtype(device.type)
    return asked


def _weights(network: Network) -> tuple[tuple[object, ...], ...]:
    """What changes whenever a weight does: moved, cast, loaded or trained."""
    return tuple(
        (w.data_ptr(), 0 if w.is_inference() else w._version, w.dtype, w.device) for w in network.parameters()
    )
