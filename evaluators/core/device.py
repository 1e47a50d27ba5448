"""Which devices this machine has, asked before anything is decoded or built."""

import os

from hlvid.errors import RunError

KINDS = ("cpu", "cuda", "mps")


def check_device(name: str) -> None:
    """Raises RunError for a device that this machine does not have, with those that it has."""
    here = devices()
    kind, colon, number = name.partition(":")
    if name in here or (kind == "cuda" and colon and number.isdigit() and int(number) < _gpus()):
        return
    why = "no GPU here that torch can use" if kind in KINDS[1:] and kind not in here else "no such device"
    if kind == "cuda" and kind in here:
        why = f"there are {_gpus()} GPUs, counted from 0"
    raise RunError(f"device {name}: {why}; allowed here: {', '.join(here)}")


def devices() -> list[str]:
    """What `--device` may be here."""
    import torch

    found = {"cpu": True, "cuda": _gpus() > 0, "mps": torch.backends.mps.is_available()}
    return [kind for kind in KINDS if found[kind]]


def cards() -> list[str]:
    """What CUDA_VISIBLE_DEVICES may name: its own entries, else all GPUs of the machine."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number in range(_gpus())]


def _gpus() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0
