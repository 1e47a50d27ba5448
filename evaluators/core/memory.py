"""Peak memory of one piece of work: the GPU's allocator where there is one, else this process on Linux."""

import ctypes
import gc
from pathlib import Path
from typing import Any

import torch

from evaluators.core.outcomes import MEMORY_SIGNS

GB = 1e9
LIBRARIES = ("cv2", "onnxruntime")
"""Whose errors are none of Python's own."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peak:
    """Highest memory between entering and leaving."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.bytes: int | None = None
        self.since_start = False

    def __enter__(self) -> "Peak":
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            try:
                _CLEAR.write_text("5")  # Linux: start VmHWM, the high-water mark, anew
            except OSError:
                self.since_start = True
        return self

    def __exit__(self, *exc: object) -> None:
        if self.device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self.device)
        else:
            self.bytes = _high_water()

    def record(self) -> dict[str, Any] | None:
        """For the details of an answer: gigabytes (1e9 bytes) and what they are of; None if unknown."""
        if self.bytes is None:
            return None
        of = "cuda" if self.device.type == "cuda" else "process"
        return {"gb": round(self.bytes / GB, 3), "of": f"{of} since its start" if self.since_start else of}


def _high_water() -> int | None:
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024


def device_bytes(device: torch.device) -> int:
    """All memory of a GPU, or of the machine."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    import psutil

    return int(psutil.virtual_memory().total)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a GPU or on the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    theirs = isinstance(error, RuntimeError) or type(error).__module__.partition(".")[0] in LIBRARIES
    return theirs and any(sign in str(error).lower() for sign in MEMORY_SIGNS)


def keep_freed() -> None:
    """Let this process keep what it frees (up to 2 GB), where the C library is glibc.

    Pictures and tensors of tens of megabytes are otherwise given back to the system each time, and faulted in anew
    page by page: at 4K a fifth of the time of gazing (1.3 million page faults a video of 8 frames, 0.25 after).
    """
    try:
        for name, value in ((_MMAP_THRESHOLD, 2**30), (_TRIM_THRESHOLD, 2**31 - 1)):
            ctypes.CDLL(None).mallopt(name, value)
    except (AttributeError, OSError, TypeError):
        return  # another C library: it has rules of its own


def release() -> None:
    """Give back what a failed question held, so that the next one starts clean."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
