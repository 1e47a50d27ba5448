"""What selectors may ask for beside pixels, of one video: handed out frame by frame, as their clips are cut."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autogaze.selectors.context import Context

Maps = npt.NDArray[np.uint8]


@dataclass
class Told:
    """times: seconds of each frame of the video. question: the text asked, of a selector that is query-aware.

    maps: (index, uint8 (H, W, 3)) of the frames looked at, ascending, as `hlvid.video.motion.block_maps` gives them.
    """

    times: npt.NDArray[np.float64] | None = None
    maps: Iterator[tuple[int, Maps]] | None = None
    question: str | None = None
    _kept: dict[int, Maps] = field(default_factory=dict)

    def context(
        self, needs: Sequence[str], indices: Sequence[int], cut: Callable[[Maps], Tensor]
    ) -> Context | None:
        """What of it is needed for the frames `indices`; None where nothing is.

        cut: from uint8 (T, H, W, 3) to clips, as the frames themselves are cut.
        Raises ValueError where the codec tells nothing of a frame.
        """
        if not needs:
            return None
        times = None if self.times is None else torch.from_numpy(np.asarray(self.times)[list(indices)])
        return Context(
            times if "times" in needs else None,
            cut(self._codec(indices)) if "codec" in needs and self.maps is not None else None,
            self.question if "question" in needs else None,
        )

    def _codec(self, indices: Sequence[int]) -> Maps:
        assert self.maps is not None
        self._kept = {index: maps for index, maps in self._kept.items() if index >= min(indices)}
        while missing := set(indices) - set(self._kept):
            found = next(self.maps, None)
            if found is None:
                raise ValueError(f"the codec tells nothing of frame {min(missing)}")
            self._kept[found[0]] = found[1]
        return np.stack([self._kept[index] for index in indices])
