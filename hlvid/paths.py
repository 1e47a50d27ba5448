"""Where data lives on a user's machine: one rule for every command.

Example::

    from hlvid.paths import data_home
    data_home()  # $HLVID_DATA, else $XDG_CACHE_HOME/hlvid, else ~/.cache/hlvid
"""

import os
from pathlib import Path


def data_home() -> Path:
    """The folder that holds every dataset: `$HLVID_DATA`, else `$XDG_CACHE_HOME/hlvid`, else `~/.cache/hlvid`."""
    if chosen := os.environ.get("HLVID_DATA"):
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "hlvid"


def hlvid_root() -> Path:
    """The folder of the real benchmark: `data/*.parquet` and `videos/*.mp4` below it."""
    return data_home() / "hlvid"


def mini_root(preset: str = "default", seed: int = 0) -> Path:
    """The folder of a generated HLVid-Mini; another preset or seed is another folder."""
    return data_home() / f"mini-{preset}-{seed}"
