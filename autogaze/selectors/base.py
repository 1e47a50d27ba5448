"""The selector protocol, and the base of selectors that rank tokens by a score.

Budget: of the V valid tokens of a picture's frame, exactly `max(1, int(ratio * V))` are chosen, the published
rounding. A picture is one clip, or, with `layout=(rows, columns)`, `rows * columns` consecutive clips that
are its tiles: then its tiles share the budget and the interesting ones get more. `budget="tile"` gives every
tile its own, `budget="frame"` lets the frames share, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from autogaze.checks import finite
from autogaze.gaze import PATCH_SIZE, SCALES, Gaze, tokens_per_frame
from autogaze.selectors.budget import Budget, allowance, check_budget, top
from autogaze.selectors.context import NEEDS, Context

Layout = tuple[int, int]
"""Rows and columns of tiles in a picture."""

TOGETHER = 16
"""Frames that share a budget, at most: the clip that AutoGaze sees."""

Ratio = float | Sequence[float] | None


class Selector(Protocol):
    """Chooses patches; every selector of this package satisfies it.

    name: as in the registry.
    history: earlier frames that the choice in a frame depends on (0: none, 1: the one before, None: all). A
        caller that streams a long video has to pass that many frames before the ones it wants.
    clip_frames: the most frames that a call may have, None for no limit; a longer video is cut into clips of so
        many, each gazed by itself.

    A selector that wants more than pixels also has `needs`, names of `context.NEEDS`, and its `select` takes
    `context`, a `Context` with those filled in.
    """

    @property
    def name(self) -> str: ...

    @property
    def history(self) -> int | None: ...

    @property
    def clip_frames(self) -> int | None: ...

    def settings(self) -> dict[str, Any]:
        """Everything that shapes the choice, as JSON values: for the record of a run."""

    def select(
        self,
        clips: Tensor,
        *,
        ratio: Ratio = None,
        loss: float | None = None,
        valid: Tensor | None = None,
        layout: Layout | None = None,
    ) -> Gaze:
        """Choose patches in every frame of every clip.

        clips: float (B, T, 3, 224, 224) in [0, 1].
        ratio: in (0, 1], share of the valid tokens; one number, or one a frame.
        loss: stop once the predicted reconstruction loss is this low; only selectors that predict one take
            it.
        valid: bool (B, 265), False at tokens that show nothing but padding; these are never chosen nor
            counted.
        layout: (rows, columns) of a picture's tiles; None where each clip is a picture of its own.
        Raises ValueError naming the argument, its value and what is allowed.
        """


@dataclass(frozen=True)
class ScoredSelector:
    """A selector that takes the highest scores; a subclass only says what a token is worth.

    budget: "picture" lets the tiles of a picture share their tokens, "tile" gives every tile the same, "frame" lets the
        frames of a call share, too: the ratio is then a mean over clips of `TOGETHER` frames, which a caller has to
        show at once.
    """

    budget: Budget = "picture"

    name: ClassVar[str]
    history: ClassVar[int | None]
    clip_frames: ClassVar[int | None] = None
    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        check_budget(self.budget)
        if self.budget == "frame":  # a choice depends on all frames that share
            object.__setattr__(self, "history", None)
            object.__setattr__(self, "clip_frames", TOGETHER)

    def scores(self, clips: Tensor, layout: Layout | None) -> Tensor:
        """Float (B, T, 265), finite: the worth of each token; of equal ones the earlier in the list wins."""
        raise NotImplementedError(f"selector {self.name!r} has neither scores nor scores_in")

    def scores_in(self, clips: Tensor, layout: Layout | None, context: Context) -> Tensor:
        """The same, for a selector with `needs`."""
        return self.scores(clips, layout)

    def choose(self, scores: Tensor, wanted: Tensor, valid: Tensor) -> Tensor:
        """Bool (G, T, N): `wanted` (long (G, T)) tokens of each picture's N; here simply the best."""
        return top(scores, wanted, valid)

    def settings(self) -> dict[str, Any]:
        """The name and every field."""
        return {"name": self.name, **vars(self)}

    def checked(
        self, clips: Tensor, loss: float | None, valid: Tensor | None, layout: Layout | None
    ) -> tuple[Tensor, int]:
        """`valid` as `check_clips` gives it, and how many tiles share a budget. Raises ValueError for a `loss`, too."""
        if loss is not None:
            raise ValueError(f"loss: {loss}; selector {self.name!r} predicts no loss, give a ratio alone")
        shared = layout[0] * layout[1] if layout and self.budget != "tile" else 1
        return check_clips(clips, valid, layout), shared

    def select(
        self,
        clips: Tensor,
        *,
        ratio: Ratio = None,
        loss: float | None = None,
        valid: Tensor | None = None,
        layout: Layout | None = None,
        context: Context | None = None,
    ) -> Gaze:
        """See `Selector.select`. context: for selectors with `needs`."""
        given = context or Context()
        if lacking := given.lacks(self.needs):
            raise ValueError(
                f"context: selector {self.name!r} needs {', '.join(lacking)}; pass context=Context(...)"
            )
        valid, size = self.checked(clips, loss, valid, layout)
        B, T, K = clips.shape[0], clips.shape[1], valid.shape[-1]
        allowed = valid.view(B // size, size * K)
        wanted = allowance(ratio, T, allowed)
        with torch.no_grad():
            scores = self.scores_in(clips, layout, given)
            grouped = scores.view(B // size, size, T, K).transpose(1, 2).flatten(2)
            if self.budget == "frame":
                grouped, wanted, allowed = (
                    grouped.flatten(1)[:, None],
                    wanted.sum(1, True),
                    allowed.repeat(1, T),
                )
            chosen = self.choose(grouped, wanted, allowed)
            masks = chosen.view(B // size, T, size, K).transpose(1, 2).reshape(B, T, K)
        return Gaze.from_masks(masks)


def needs_of(selector: Selector) -> tuple[str, ...]:
    """What a selector declares to need beside pixels. Raises ValueError for names that nothing provides."""
    needs = tuple(getattr(selector, "needs", ()))
    unknown = [name for name in needs if name not in NEEDS]
    if unknown:
        raise ValueError(f"selector {selector.name!r}: needs {unknown[0]!r}; there are: {', '.join(NEEDS)}")
    return needs


def by_pixels(selector: Selector) -> Selector:
    """The selector, where clips alone are at hand. Raises ValueError for one that needs more than their pixels."""
    if needs := needs_of(selector):
        raise ValueError(
            f"selector {selector.name!r} needs {', '.join(needs)}, which these clips do not tell; "
            f"compare it on questions: hlvid demo --selector {selector.name}"
        )
    return selector


def look(selector: Selector, clips: Tensor, context: Context | None, **asked: Any) -> Gaze:
    """`selector.select`, with the context where it declares needs."""
    if needs_of(selector):
        return selector.select(clips, context=context, **asked)  # type: ignore[call-arg]
    return selector.select(clips, **asked)


def check_clips(clips: Tensor, valid: Tensor | None, layout: Layout | None) -> Tensor:
    """`valid`, all True where None was given; ValueError where the arguments do not fit each other."""
    side = SCALES[-1]
    if clips.ndim != 5 or 0 in clips.shape[:2] or tuple(clips.shape[2:]) != (3, side, side):
        raise ValueError(f"clips: shape {tuple(clips.shape)}, expected (B >= 1, T >= 1, 3, {side}, {side})")
    if not clips.is_floating_point():
        raise ValueError(f"clips: dtype {clips.dtype}, expected a floating-point type with values in [0, 1]")
    if not finite(clips):
        raise ValueError("clips: some values are NaN or infinite, expected values in [0, 1]")
    B, K = clips.shape[0], tokens_per_frame(SCALES, PATCH_SIZE)
    if layout and (min(layout) < 1 or B % (layout[0] * layout[1])):
        raise ValueError(f"layout: {layout[0]} x {layout[1]} tiles do not divide the {B} clips given")
    if valid is None:
        return torch.ones(B, K, dtype=torch.bool, device=clips.device)
    if valid.shape != (B, K) or valid.dtype != torch.bool:
        raise ValueError(f"valid: {valid.dtype} {tuple(valid.shape)}, expected torch.bool ({B}, {K})")
    return valid
