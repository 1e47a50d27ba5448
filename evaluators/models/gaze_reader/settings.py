"""What can be asked of the reader, checked before anything is decoded."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from evaluators.core.arguments import STRICT, check_selector, read, refuse_unheeded
from hlvid.errors import RunError
from hlvid.video.sampling import Sampling

DEFAULT_RATIO = 0.25
SHARED = "picture"


@checked(frozen=True, config=STRICT)
class ReaderSettings:
    """All that shapes what is read.

    selector: a name of `autogaze.selectors`, or "package.module:Class".
    ratio: share of the tokens that show picture (not padding), in (0, 1]; by default all for `everything`,
        0.25 for the others.
    resolution: long side of the frames in pixels, as seen by the selector; multiples of 224 fill the tiles.
    frames: how many frames of the video, spread by `sampling` (a policy of `hlvid.video.sampling`).
    budget: of selectors that know one. "picture" (the default): the tiles of a frame share their tokens; "tile": every
        tile has its own; "frame": the frames gazed together, up to 16, share, too.
    seed: of selectors that draw at random.
    checkpoint: weights of the selectors `autogaze` and `reads`, a folder or a hub id.
    loss: of `autogaze` alone: a frame is done once its predicted reconstruction loss is this low, and then the ratio,
        if given, is the cap.
    """

    selector: str = "detail"
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    resolution: Annotated[int, Field(ge=32, le=8192)] = 3584
    frames: Annotated[int, Field(ge=1, le=4096)] = 12
    sampling: Sampling = "uniform_linspace"
    budget: Literal["tile", "picture", "frame"] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31)] | None = None
    checkpoint: str | None = None
    loss: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    def __post_init__(self) -> None:
        from autogaze import selectors

        check_selector("gaze_reader", self.selector)
        for name, takers in (("checkpoint", selectors.LEARNED), ("loss", selectors.LEARNED[:1])):
            if self.selector not in takers and getattr(self, name) is not None:
                raise RunError(
                    f"gaze_reader: {name} is of selector {' or '.join(map(repr, takers))}; leave it out with "
                    f"{self.selector!r}"
                )
        self._set_own()
        if self.selector == "everything" and self.ratio not in (None, 1):
            raise RunError(
                f"gaze_reader: ratio is {self.ratio!r}; selector 'everything' looks at all, allowed: 1 or none"
            )
        if self.ratio is None and self.loss is None and self.selector != "everything":
            object.__setattr__(self, "ratio", DEFAULT_RATIO)

    def _set_own(self) -> None:
        """Defaults of what is the selector's own; RunError for what it would not heed."""
        shares = refuse_unheeded("gaze_reader", self.selector, "budget", self.budget, "has none to share")
        refuse_unheeded("gaze_reader", self.selector, "seed", self.seed, "draws nothing")
        if self.budget is None and shares:
            object.__setattr__(self, "budget", SHARED)
        if self.seed is None:
            object.__setattr__(self, "seed", 0)

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """From `--model_args`, less those of every model. Raises RunError naming the argument and what is allowed."""
        return read(cls, "gaze_reader", arguments, beside=("cache", "device", "runs"))

    def selector_settings(self) -> dict[str, Any]:
        """The arguments of the selector that are its own."""
        from autogaze import selectors

        ours = {"budget": self.budget, "seed": self.seed, "checkpoint": self.checkpoint}
        allowed = selectors.arguments(self.selector)
        return {name: value for name, value in ours.items() if name in allowed}
