"""`everything`: all patches of all scales, the ceiling that a saving is measured against."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.selectors.base import Layout, Ratio, check_clips


@dataclass(frozen=True)
class Everything:
    """Looks at every valid token; `ratio` has to be None or 1."""

    name: ClassVar[str] = "everything"
    history: ClassVar[int | None] = 0
    clip_frames: ClassVar[int | None] = None

    def settings(self) -> dict[str, Any]:
        """The name: there is nothing to set."""
        return {"name": self.name}

    def select(
        self,
        clips: Tensor,
        *,
        ratio: Ratio = None,
        loss: float | None = None,
        valid: Tensor | None = None,
        layout: Layout | None = None,
    ) -> Gaze:
        ratios = ratio if isinstance(ratio, list | tuple) else [ratio]
        if any(one is not None and one != 1 for one in ratios):
            raise ValueError(
                f"ratio: {ratio}; selector 'everything' looks at all patches, allowed: None or 1"
            )
        if loss is not None:
            raise ValueError(f"loss: {loss}; selector 'everything' predicts no loss, allowed: None")
        valid = check_clips(clips, valid, layout)
        return Gaze.from_masks(valid[:, None].expand(-1, clips.shape[1], -1))
