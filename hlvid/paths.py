"""Where things lie on a user's machine: data that runs read, and state that runs write, two roots for every command.

In the environment::

    HLVID_DATA=/mnt/shared/hlvid:~/data      # places that hold data; each may be read-only
    HLVID_STATE=~/hlvid-state                # prepared tasks, journals, notes: all that a run writes

Nothing below a data root is ever written by a run: a shared, read-only mount is the normal case on a cluster.
"""

import os
from pathlib import Path


def data_roots() -> list[Path]:
    """The places to look for data, best first: `$HLVID_DATA` (several with ':'), else `$XDG_CACHE_HOME/hlvid`,
    else `~/.cache/hlvid`."""
    chosen = [place for place in (os.environ.get("HLVID_DATA") or "").split(os.pathsep) if place]
    places = [Path(place).expanduser().absolute() for place in chosen]
    return list(dict.fromkeys(places)) or [_xdg("XDG_CACHE_HOME", "~/.cache")]


def data_home() -> Path:
    """Where downloads go: the first of `data_roots` that can be written, else the first."""
    places = data_roots()
    return next((place for place in places if writable(place)), places[0])


def state_root() -> Path:
    """Where runs write: `$HLVID_STATE`, else `$XDG_STATE_HOME/hlvid`, else `~/.local/state/hlvid`."""
    if chosen := os.environ.get("HLVID_STATE"):
        return Path(chosen).expanduser().absolute()
    return _xdg("XDG_STATE_HOME", "~/.local/state")


def hf_home() -> Path:
    """`$HF_HOME`, else where the hub's client keeps its files by default."""
    if chosen := os.environ.get("HF_HOME"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface"


def hub_cache() -> Path:
    """Where the hub's client keeps snapshots: `$HF_HUB_CACHE`, else `hub/` in `hf_home()`."""
    return Path(os.environ.get("HF_HUB_CACHE") or hf_home() / "hub").expanduser()


def mini_root(preset: str = "default", seed: int = 0) -> Path:
    """The folder of a generated HLVid-Mini: where it is, else where it will be made (a data root that can be
    written, else the state root). Another preset or seed is another folder."""
    name = f"mini-{preset}-{seed}"
    made = [place / name for place in (*data_roots(), state_root()) if (place / name).is_dir()]
    home = data_home()
    return made[0] if made else (home if writable(home) else state_root()) / name


def writable(folder: Path) -> bool:
    """Whether `folder` can be written, or made and written."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)


def _xdg(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or default).expanduser().absolute() / "hlvid"
