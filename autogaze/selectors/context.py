"""What a selector may ask for beside pixels.

A selector names its `needs`; whoever calls it hands over a `Context` with these filled in, and nothing else: what is
not declared is not there to be used. The answer of a question never is.
"""

from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor

NEEDS = ("times", "codec", "question")


@dataclass(frozen=True)
class Context:
    """Of the clips of one call, (B, T, 3, 224, 224); None where the selector does not need it.

    times: float (T,), seconds from the video's first frame to each frame.
    codec: float (B, T, 3, 224, 224) in [0, 1], cut into tiles as the clips are: what the decoder tells of each block,
        without a look at any pixel. Channels: motion (px of the stored picture a reference frame, 64 and more are 1),
        intra (1 where a block was coded anew, without a reference), size (bytes of the frame's packet a pixel, of one
        byte).
    question: the benchmark's own text of question and options. A selector that needs it is query-aware: its gaze
        holds for this question alone.
    """

    times: Tensor | None = None
    codec: Tensor | None = None
    question: str | None = None

    def only(self, needs: Collection[str]) -> "Context":
        """What is needed of it, and nothing else."""
        return Context(**{name: getattr(self, name) for name in needs})

    def lacks(self, needs: tuple[str, ...]) -> list[str]:
        """Those of `needs` that are not filled in."""
        return [name for name in needs if getattr(self, name) is None]
