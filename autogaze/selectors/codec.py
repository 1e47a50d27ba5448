"""`codec`: patches that the video's own encoder spent effort on; no pixel is looked at.

An encoder has already searched where a block came from. Blocks that stayed where they were cost nothing and show
nothing new; blocks that moved, or that nothing before resembles (coded anew, "intra"), do. In a key frame every block
is coded anew and the codec tells nothing apart: there, and wherever scores are equal, coarse tokens come first.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from autogaze.gaze import SCALES
from autogaze.selectors.base import Layout, ScoredSelector
from autogaze.selectors.context import Context
from autogaze.selectors.pyramid import at_scale, patch_mean, stitch, tokens, unstitch


@dataclass(frozen=True)
class Codec(ScoredSelector):
    """anew: what a block without a reference is worth beside motion, at least 0 (motion of 64 px is worth 1)."""

    anew: float = 0.5

    name: ClassVar[str] = "codec"
    history: ClassVar[int | None] = 0
    needs: ClassVar[tuple[str, ...]] = ("codec",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.anew >= 0:
            raise ValueError(f"anew: {self.anew}, allowed: numbers of at least 0")

    def scores_in(self, clips: Tensor, layout: Layout | None, context: Context) -> Tensor:
        """Mean over the patch of motion, and of blocks coded anew in frames that have others."""
        assert context.codec is not None
        motion, intra, _ = context.codec.to(clips).unbind(2)
        picture = stitch(intra, layout)
        key = picture.flatten(2).mean(2) > 0.999  # all of a key frame is coded anew
        fresh = unstitch(picture * ~key[..., None, None], layout)
        worth = motion + self.anew * fresh
        return tokens([patch_mean(at_scale(worth, scale)) for scale in SCALES])
