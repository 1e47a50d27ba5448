"""`autogaze`: the model's own choice, from a checkpoint.

Example::

    get("autogaze").select(clips, ratio=0.25)                                # the checkpoint of this package
    get("autogaze", checkpoint="nvidia/AutoGaze").select(clips, ratio=0.25, loss=0.7)

Every tile is gazed by itself; the budget is a tile's own, since the model does not know of its neighbours.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.model.calibration import Calibration
from autogaze.model.checkpoint import CheckpointError, fingerprint
from autogaze.model.processing import AutoGazeImageProcessor
from autogaze.parallel import shares
from autogaze.selectors.base import Layout, Ratio, check_clips
from autogaze.weights import bundled

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AutoGazeSelector:
    """AutoGaze behind the selector protocol.

    checkpoint: a folder or a hub id; None for the bundled one (`autogaze.weights`), which is said in the log
    and in `settings`. Mind that a loss means something else to every checkpoint: the bundled one's is the
    pasted picture's, some 0.02 to 0.4. calibrated: `loss` is the loss reached on average, by the checkpoint's
    calibration.json, instead of the predicted one. device, dtype: where and in which precision it runs,
    "float32" or "bfloat16".

    Raises CheckpointError (a ValueError) where there is no usable checkpoint.
    """

    checkpoint: str | Path | None = None
    revision: str | None = None
    device: str = "cpu"
    dtype: str = "float32"
    published_batching: bool = False
    calibrated: bool = False
    model: AutoGaze = field(init=False, repr=False, compare=False)
    processor: AutoGazeImageProcessor = field(init=False, repr=False, compare=False)

    name: ClassVar[str] = "autogaze"
    history: ClassVar[int | None] = None

    @property
    def clip_frames(self) -> int:
        """Frames that the checkpoint was made for, 16 in the published one."""
        return self.model.config.max_num_frames

    @property
    def source(self) -> str | Path:
        """The checkpoint in use, named or bundled."""
        return self.checkpoint or bundled()

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "bfloat16"):
            raise ValueError(f"dtype={self.dtype!r}: expected 'float32' or 'bfloat16'")
        if not self.checkpoint:
            _log.warning(
                "selector 'autogaze': no checkpoint named, so the bundled one looks (%s)", self.source
            )
        model = AutoGaze.from_pretrained(
            self.source, revision=self.revision, dtype=getattr(torch, self.dtype), device_map=self.device
        )
        model.published_batching = self.published_batching
        model.calibration = Calibration.load(self.source) if self.calibrated else None
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "processor", _processor(self.source, self.revision))

    def settings(self) -> dict[str, Any]:
        """Name, checkpoint with its weights' hash, revision, dtype, batching: what shapes the choice."""
        return {
            "name": self.name,
            "checkpoint": str(self.checkpoint or "bundled"),
            "weights": fingerprint(self.source, self.revision),
            "revision": self.revision,
            "dtype": self.dtype,
            "published_batching": self.published_batching,
            "calibrated": self.calibrated,
        }

    def select(
        self,
        clips: Tensor,
        *,
        ratio: Ratio = None,
        loss: float | None = None,
        valid: Tensor | None = None,
        layout: Layout | None = None,
    ) -> Gaze:
        """See `Selector.select`; at most 16 frames, and `loss` stops a frame early."""
        shown = check_clips(clips, valid, layout)
        # Clips that influence each other stay together; of others only so many are there in floats again.
        alone = not self.published_batching
        most = self.model.clips_at_once(clips.shape[1], ratio) if alone else len(clips)
        parts = [
            self.model.gaze(self.processor.from_unit(part), ratio=ratio, loss=loss)
            for part in shares(clips, most)
        ]
        gaze = Gaze.cat([part.to(clips.device) for part in parts])
        return gaze if valid is None else gaze.within(shown)


def _processor(checkpoint: str | Path, revision: str | None) -> AutoGazeImageProcessor:
    """The checkpoint's own processor; the published defaults for a folder that has none."""
    try:
        return AutoGazeImageProcessor.from_pretrained(checkpoint, revision)
    except CheckpointError:
        if Path(checkpoint).is_dir():
            return AutoGazeImageProcessor()
        raise
