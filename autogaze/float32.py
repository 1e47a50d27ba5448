"""Float32 that is float32: on a GPU torch cuts the inputs of convolutions to 10 bits (TF32) unless told not to.

Scores would be some 1e-3 off, where float32 is 2e-5 off and choices lie as near as 4e-4 (golden cases): other tokens,
and clips that stop elsewhere, as seen on an H200. Precisions below float32 are not touched.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_lock = threading.Lock()
_inside = 0
_before: list[Any] = []


@contextmanager
def full_float32() -> Iterator[None]:
    """Convolutions and matrix products of float32 in float32, on every thread until the last one has left."""
    global _inside
    with _lock:
        if _inside == 0:
            _before[:] = [getattr(switch, name) for switch, name, _ in _switches()]
            for switch, name, exact in _switches():
                setattr(switch, name, exact)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                for (switch, name, _), value in zip(_switches(), _before, strict=True):
                    setattr(switch, name, value)


def _switches() -> list[tuple[Any, str, object]]:
    """Whose which attribute says so, and how: torch 2.9 renamed both, and warns of the old names."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(cudnn, "conv"):
        return [(cudnn.conv, "fp32_precision", "ieee"), (matmul, "fp32_precision", "ieee")]
    return [(cudnn, "allow_tf32", False), (matmul, "allow_tf32", False)]
