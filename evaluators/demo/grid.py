"""What the demo runs: `blind` and `gaze_reader` at four resolutions and two gazing ratios.

Example::

    [setting.name for setting in demo_settings()]  # ["blind", "detail-448-r0.10", ...]

Each setting is one lmms-eval run of its own; its name is the name of its output folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RESOLUTIONS = (448, 896, 1792, 3584)  # long side in pixels: each makes one more detail tier readable
RATIOS = (0.03, 0.1)  # gazing ratio: share of the multi-scale patches of every frame
FRAMES = 8


@dataclass(frozen=True)
class Setting:
    """One evaluation: an lmms-eval model and its arguments, with what the figure needs to place it."""

    name: str
    model: str
    model_args: str
    resolution: int | None = None
    ratio: float | None = None
    selector: str | None = None

    @property
    def series(self) -> str:
        """The line of the figure this setting belongs to."""
        return "blind" if self.ratio is None else f"{self.selector}, gazing ratio {self.ratio:.0%}"


def demo_settings(
    resolutions: Sequence[int] = RESOLUTIONS,
    ratios: Sequence[float] = RATIOS,
    selectors: Sequence[str] = ("detail",),
    frames: int = FRAMES,
) -> list[Setting]:
    """All runs of the demo, the blind floor first, then by selector, ratio and rising resolution."""
    settings = [Setting("blind", "blind", "strategy=hash")]
    for selector in selectors:
        for ratio in ratios:
            settings += [_reader(selector, ratio, resolution, frames) for resolution in resolutions]
    return settings


def _reader(selector: str, ratio: float, resolution: int, frames: int) -> Setting:
    arguments = f"selector={selector},ratio={ratio},resolution={resolution},frames={frames}"
    name = f"{selector}-{resolution}-r{ratio:.2f}"
    return Setting(name, "gaze_reader", arguments, resolution, ratio, selector)
