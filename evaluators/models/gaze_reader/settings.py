"""What can be asked of the reader, checked before anything is decoded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, get_args

from hlvid.errors import RunError

SAMPLINGS = ("uniform_linspace", "uniform_midpoint")
DEFAULT_RATIO = 0.25
LEARNED = "autogaze"
"""The selector that is a model: it has a checkpoint and predicts a loss."""


@dataclass(frozen=True)
class ReaderSettings:
    """All that shapes what is read.

    selector: a name of `autogaze.selectors`, or "package.module:Class".
    ratio: share of the tokens that show picture (not padding), in (0, 1]; by default all for `everything`,
        0.25 for the others.
    resolution: long side of the frames in pixels, as seen by the selector; multiples of 224 fill the tiles.
    frames: how many frames of the video, spread by `sampling` (a policy of `hlvid.video.sampling`).
    budget: "picture": the tiles of a frame share their tokens; "tile": every tile has its own; "frame": the frames
        gazed together, up to 16, share, too.
    seed: of selectors that draw at random.
    checkpoint: AutoGaze's weights, a folder or a hub id; of selector `autogaze` alone, like `loss`: a frame is
        done once its predicted reconstruction loss is this low, and then the ratio, if given, is the cap.
    """

    selector: str = "detail"
    ratio: float | None = None
    resolution: int = 3584
    frames: int = 12
    sampling: str = "uniform_linspace"
    budget: str = "picture"
    seed: int = 0
    checkpoint: str | None = None
    loss: float | None = None

    def __post_init__(self) -> None:
        from autogaze import selectors
        from autogaze.selectors.budget import Budget

        if not selectors.known(self.selector):
            allowed = f"{', '.join(selectors.names())}, or package.module:Class"
            raise RunError(f"gaze_reader: selector is {self.selector!r}; allowed: {allowed}")
        _one_of("sampling", self.sampling, SAMPLINGS)
        _one_of("budget", self.budget, get_args(Budget))
        _whole("resolution", self.resolution, 32, 8192)
        _whole("frames", self.frames, 1, 4096)
        _whole("seed", self.seed, 0, 2**31)
        self._check_learned()
        if self.ratio is None and self.loss is None and self.selector != "everything":
            object.__setattr__(self, "ratio", DEFAULT_RATIO)
        if self.ratio is not None:
            _ratio(self.ratio, self.selector)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Every argument's name."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """From `--model_args`, less those of every model. Raises RunError naming an unknown one and the known."""
        for argument in arguments:
            if argument not in cls.names():
                allowed = ", ".join([*cls.names(), "cache", "device", "runs"])
                raise RunError(f"model gaze_reader: unknown argument {argument!r}; allowed: {allowed}")
        return cls(**arguments)

    def selector_settings(self) -> dict[str, Any]:
        """The arguments of the selector that are its own."""
        from autogaze import selectors

        ours = {"budget": self.budget, "seed": self.seed, "checkpoint": self.checkpoint}
        allowed = selectors.arguments(self.selector)
        return {name: value for name, value in ours.items() if name in allowed}

    def _check_learned(self) -> None:
        if self.selector != LEARNED:
            for name in ("checkpoint", "loss"):
                if getattr(self, name) is not None:
                    raise RunError(
                        f"gaze_reader: {name} is of selector 'autogaze'; leave it out with {self.selector!r}"
                    )
        elif self.loss is not None and not _positive(self.loss):
            raise RunError(f"gaze_reader: loss is {self.loss!r}; allowed: numbers above 0")


def _positive(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    )


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise RunError(f"gaze_reader: {name} is {value!r}; allowed: {', '.join(allowed)}")


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RunError(f"gaze_reader: {name} is {value!r}; allowed: whole numbers from {low} to {high}")


def _ratio(value: object, selector: str) -> None:
    if not _positive(value) or value > 1:  # type: ignore[operator]
        raise RunError(f"gaze_reader: ratio is {value!r}; allowed: numbers above 0, up to 1")
    if selector == "everything" and value != 1:
        raise RunError(
            f"gaze_reader: ratio is {value!r}; selector 'everything' looks at all, allowed: 1 or none"
        )
