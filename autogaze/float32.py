"""Float32 that is float32: on a GPU torch cuts the inputs of convolutions to 10 bits (TF32) unless told not to.

Scores would be some 1e-3 off, where float32 is 2e-5 off and choices lie as near as 4e-4 (golden cases): other tokens,
and clips that stop elsewhere, as seen on an H200. Precisions below float32 are not touched.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

SWITCHES: tuple[Any, ...] = (torch.backends.cudnn.conv, torch.backends.cuda.matmul)  # type: ignore[attr-defined]

_lock = threading.Lock()
_inside = 0
_before: list[str] = []


@contextmanager
def full_float32() -> Iterator[None]:
    """Convolutions and matrix products of float32 in float32, on every thread until the last one has left."""
    global _inside
    with _lock:
        if _inside == 0:
            for switch in SWITCHES:
                _before.append(switch.fp32_precision)
                switch.fp32_precision = "ieee"
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for switch in SWITCHES:
                    switch.fp32_precision = _before.pop(0)
