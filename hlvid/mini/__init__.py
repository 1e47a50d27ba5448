"""HLVid-Mini: the offline stand-in for HLVid. Real 4K H.264, the same file format, pixels decided by a seed.

How it is built, from the pixel up: `chance` (machine-independent random numbers), `texture`, `text`, `canvas`
(4:2:0 frames and sprites), `board` (things with text), `stage` (painting order and visibility), `road` and
`room` (the two scenes), `plan` (questions, tiers, windows), `render`, `encode`, `generate`. Nothing up to
`render` touches a file or a library whose output differs between machines.
"""

import os
from pathlib import Path

from hlvid.errors import DatasetError

__all__ = ["make", "wanted"]


def make(root: Path | None = None, preset: str = "default", seed: int = 0, progress: bool = True) -> Path:
    """Generate HLVid-Mini unless it is there already; returns its folder (see `hlvid.mini.generate.make`)."""
    from hlvid.mini.generate import make as generate

    return generate(root, preset, seed, progress)


def wanted(name: str | None = None) -> tuple[str, int]:
    """Preset and seed of a name as "study-11", or "default" (seed 0); of `HLVID_MINI_PRESET`, for runs, unless given.

    Raises:
        DatasetError: a seed that is no whole number.
    """
    name = name or os.environ.get("HLVID_MINI_PRESET", "default")
    preset, mark, seed = name.partition("-")
    if mark and not seed.isdecimal():
        raise DatasetError(f"HLVid-Mini {name!r}: expected PRESET or PRESET-SEED, as study-11")
    return preset, int(seed or 0)
