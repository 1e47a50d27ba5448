"""What the demo runs: `blind`, `gaze_reader` with `detail` in full, and other selectors at the smaller resolutions.

Each setting is one lmms-eval run of its own; its name is the name of its output folder. The other selectors stop at
1792 px: reading everything at 3584 px alone would take as long as all the rest. At 10 % `detail` reads nearly all there
is to read, so `reads`, a learned gaze, is compared with it at 1 %, where something is to be won. In full the others are
asked at 1 %, too, `autogaze` both with the same tokens for every tile (as published) and with the same mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import product

import yaml

from evaluators.models.gaze_reader.settings import ReaderSettings

RESOLUTIONS = (448, 896, 1792, 3584)  # long side in pixels: each makes one more detail tier readable
RATIOS = (0.1,)  # gazing ratio: share of the multi-scale patches of every frame
FULL_RATIOS = (0.01, 0.03, 0.1)
FRAMES = 8
LEARNED = "autogaze"
OTHERS = ("autogaze", "everything")
FULL_OTHERS = ("autogaze", "reads", "random", "everything")
OTHER_RESOLUTIONS = RESOLUTIONS[:-1]
FEW = 0.01  # gazing ratio at which `SPARING` are compared
SPARING = ("detail", "reads")
SPARING_RESOLUTIONS = RESOLUTIONS[1:3]


@dataclass(frozen=True)
class Setting:
    """One evaluation: an lmms-eval model and its arguments, with what the figure needs to place it."""

    name: str
    model: str
    model_args: str
    resolution: int | None = None
    ratio: float | None = None
    selector: str | None = None
    budget: str | None = None  # of the learned selector: "tile" or "picture"

    @property
    def label(self) -> str:
        """Model or selector as the table names it."""
        return f"{self.selector} mean" if self.budget == "picture" else self.selector or self.model

    @property
    def series(self) -> str:
        """The line of the figure this setting belongs to."""
        if self.selector is None:
            return self.model
        return self.selector if self.ratio == 1 else f"{self.label}, gazing ratio {self.ratio:.0%}"

    def reader(self) -> ReaderSettings:
        """What the reader is asked for, from lmms-eval's `key=value,...`."""
        known = {field.name for field in fields(ReaderSettings)}
        pairs = (part.split("=", 1) for part in self.model_args.split(","))
        return ReaderSettings(**{key: yaml.safe_load(value) for key, value in pairs if key in known})


def demo_settings(
    resolutions: Sequence[int] = RESOLUTIONS,
    ratios: Sequence[float] | None = None,
    others: Sequence[str] | None = None,
    frames: int = FRAMES,
    full: bool = False,
    more: Sequence[str] = (),
) -> list[Setting]:
    """All runs of the demo: the blind floor, `detail` by ratio and rising resolution, then the other selectors.

    full: the longer story, unless ratios or others are given. more: selectors beside these.
    """
    sparing = SPARING if others is None and ratios is None and not full else ()
    ratios = ratios or (FULL_RATIOS if full else RATIOS)
    others = others if others is not None else (FULL_OTHERS if full else OTHERS)
    settings = [Setting("blind", "blind", "strategy=hash")]
    settings += [
        _reader("detail", ratio, resolution, frames) for ratio in ratios for resolution in resolutions
    ]
    settings += [_reader(name, FEW, size, frames) for name, size in product(sparing, SPARING_RESOLUTIONS)]
    small = [resolution for resolution in resolutions if resolution in OTHER_RESOLUTIONS]
    for selector in (*others, *(name for name in more if name not in (*others, "detail"))):
        settings += [
            _reader(selector, ratio, resolution, frames, budget)
            for (ratio, budget), resolution in product(_ways(selector, ratios, full), small)
        ]
    return settings


def _ways(selector: str, ratios: Sequence[float], full: bool) -> list[tuple[float, str | None]]:
    """Ratios and budgets that one of the other selectors is tried with."""
    if selector == "everything":
        return [(1.0, None)]
    tried = sorted({min(ratios), max(ratios)}) if full else [max(ratios)]
    budgets = ("tile", "picture") if full else ("tile",)
    return list(product(tried, budgets if selector == LEARNED else (None,)))


def _reader(selector: str, ratio: float, resolution: int, frames: int, budget: str | None = None) -> Setting:
    shared = f",budget={budget}" if budget else ""
    arguments = f"selector={selector},ratio={ratio},resolution={resolution},frames={frames}{shared}"
    name = f"{selector.replace(':', '-')}-{resolution}-r{ratio:.2f}{'-mean' if budget == 'picture' else ''}"
    return Setting(name, "gaze_reader", arguments, resolution, ratio, selector, budget)
