"""Which videos a run may ask about: a look at all of them before the first model is built.

By default every broken video is refused. With HLVID_DAMAGED=1 those of which frames can be read are asked about
all the same, and each of their samples says what is wrong (`video_damage`); with HLVID_PARTIAL=1 the others are
left out. Both are told by name.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hlvid.tasks.arguments import switched_on
from hlvid.video.health import unsound

SHOWN = 20


@dataclass(frozen=True)
class Screened:
    """What is wrong with each broken video, by what becomes of it."""

    refused: Mapping[Path, str]
    left_out: Mapping[Path, str]
    kept: Mapping[Path, str]


def screen(paths: Iterable[Path]) -> Screened:
    """Look at videos (quickly; sound ones once only), and warn of what is left out or kept although broken."""
    go_on, partial = switched_on("HLVID_DAMAGED"), switched_on("HLVID_PARTIAL")
    broken = unsound(paths)
    kept = {path: one.fault or "" for path, one in broken.items() if go_on and one.readable}
    rest = {path: one.fault or "" for path, one in broken.items() if path not in kept}
    _tell("asked about although damaged (HLVID_DAMAGED=1)", kept)
    if partial:
        _tell("left out (HLVID_PARTIAL=1)", rest)
        return Screened({}, rest, kept)
    return Screened(rest, {}, kept)


def _tell(what: str, broken: Mapping[Path, str]) -> None:
    if broken:
        named = [f"{path.name} {fault}" for path, fault in list(broken.items())[:SHOWN]]
        more = f"; and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        warnings.warn(f"{len(broken)} videos {what}: {'; '.join(named)}{more}", stacklevel=3)
