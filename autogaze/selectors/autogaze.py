"""`autogaze`: the model's own choice, from a checkpoint.

Every tile is gazed by itself. The budget is a tile's own, as published; or a picture's or a clip's, and then tiles (and
frames) whose predicted loss is high get more of it, and the ratio is a mean over them::

    get("autogaze", budget="picture").select(tiles, ratio=0.01, layout=(5, 8))
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
from autogaze.selectors.budget import Budget, allowance, check_budget, top
from autogaze.weights import bundled

_log = logging.getLogger(__name__)

MOST, ROOM = 4, 0.1
"""What one tile of a frame may have of a shared budget: so many times the mean, and so much more than it."""
TOGETHER = 8
"""Clips whose lists are judged at once: with the gaze written in, attention takes memory by the square."""
FIRST = 1e6
"""Above any loss."""


@dataclass(frozen=True)
class AutoGazeSelector:
    """AutoGaze behind the selector protocol.

    checkpoint: a folder or a hub id; None for the bundled one (`autogaze.weights`), which is said in the log
    and in `settings`. Mind that a loss means something else to every checkpoint: the bundled one's is the
    pasted picture's, some 0.02 to 0.4. calibrated: `loss` is the loss reached on average, by the checkpoint's
    calibration.json, instead of the predicted one. device, dtype: where and in which precision it runs,
    "float32" or "bfloat16".
    budget: "tile": `ratio` is every tile's in every frame, as published. "picture": the mean over the tiles of a frame.
    "frame": the mean over tiles and frames of a call. Where it is shared each tile's list is cut where the predicted
    loss is the same for all; of these lists, at most `MOST` times as long as the mean, later frames know the whole.

    Raises CheckpointError (a ValueError) where there is no usable checkpoint.
    """

    checkpoint: str | Path | None = None
    revision: str | None = None
    device: str = "cpu"
    dtype: str = "float32"
    published_batching: bool = False
    calibrated: bool = False
    budget: Budget = "tile"
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
        check_budget(self.budget)
        if self.published_batching and self.budget != "tile":
            raise ValueError(f"budget: {self.budget!r}; with published_batching only 'tile' is allowed")
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
            "budget": self.budget,
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
        if self.budget != "tile" and ratio is not None:
            wanted = self._wanted(ratio, clips.shape[1], shown, layout)
            return self._shared(clips, ratio, loss, shown, wanted)
        # Clips that influence each other stay together; of others only so many are there in floats again.
        alone = not self.published_batching
        most = self.model.clips_at_once(clips.shape[1], ratio) if alone else len(clips)
        parts = [self._gaze(part, ratio, loss)[1] for part in shares(clips, most)]
        gaze = Gaze.cat([part.to(clips.device) for part in parts])
        return gaze if valid is None else gaze.within(shown)

    def _gaze(self, clips: Tensor, ratio: Ratio, loss: float | None) -> tuple[Tensor, Gaze]:
        """Pixels as the model takes them, and its gaze."""
        pixels = self.processor.from_unit(clips)
        return pixels, self.model.gaze(pixels, ratio=ratio, loss=loss)

    def _wanted(self, ratio: Ratio, frames: int, shown: Tensor, layout: Layout | None) -> Tensor:
        """Long (G, T) tokens of every picture and frame, or (G, 1) of every picture over its frames."""
        size = layout[0] * layout[1] if layout else 1
        counts = allowance(ratio, frames, shown.view(len(shown) // size, -1))
        return counts if self.budget == "picture" else counts.sum(1, keepdim=True)

    @torch.no_grad()
    def _shared(self, clips: Tensor, ratio: Ratio, loss: float | None, shown: Tensor, wanted: Tensor) -> Gaze:
        """Longer lists than the mean, cut where the predicted loss is the same for all; `wanted` as `_wanted` gives."""
        ratios = [ratio] * clips.shape[1] if isinstance(ratio, float | int) else list(ratio or ())
        longer = [min(1.0, MOST * one, one + ROOM) for one in ratios]
        scores = torch.cat([self._worth(part, longer, loss) for part in shares(clips, TOGETHER)])
        scores = scores.to(clips.device).masked_fill(~shown[:, None], -torch.inf)
        B, T, K = scores.shape
        groups, spans = wanted.shape
        # (tiles of a picture, frames of a span) share: (G, tiles, spans, frames, K) -> (G, spans, tiles * frames * K)
        shape = (groups, B // groups, spans, T // spans, K)
        grouped = scores.view(shape).transpose(1, 2).reshape(groups, spans, -1)
        allowed = torch.ones_like(grouped[:, 0], dtype=torch.bool)
        chosen = top(grouped, wanted, allowed) & grouped.isfinite()
        masks = chosen.view(groups, spans, B // groups, T // spans, K).transpose(1, 2).reshape(B, T, K)
        return Gaze.from_masks(masks)

    def _worth(self, clips: Tensor, ratio: Ratio, loss: float | None) -> Tensor:
        """Float (B, T, 265): the loss predicted before each token of the lists was seen; minus infinity elsewhere.

        It is made to fall along a list, by next to nothing where it would not, so that what is best of a list is
        always its beginning.
        """
        pixels, gaze = self._gaze(clips, ratio, loss)
        after = self.model.teacher_forced(pixels, gaze).losses.masked_fill(gaze.padded, -torch.inf)
        worth = []
        for lost in torch.split(after, list(gaze.per_frame), dim=1):
            falling = lost.cummin(1).values
            falling = falling - falling.abs() * torch.arange(lost.shape[1], device=lost.device) * 2**-22
            # Before its first token nothing was predicted of a frame: that token comes before any second one.
            worth.append(torch.cat([FIRST + lost[:, :1], falling[:, :-1]], 1))
        flat = torch.full((gaze.batch, gaze.frames * gaze.tokens), -torch.inf, device=after.device)
        values = torch.cat(worth, 1).masked_fill(gaze.padded, -torch.inf)
        flat.scatter_reduce_(1, gaze.positions, values, "amax")
        return flat.view(gaze.batch, gaze.frames, gaze.tokens)


def _processor(checkpoint: str | Path, revision: str | None) -> AutoGazeImageProcessor:
    """The checkpoint's own processor; the published defaults for a folder that has none."""
    try:
        return AutoGazeImageProcessor.from_pretrained(checkpoint, revision)
    except CheckpointError:
        if Path(checkpoint).is_dir():
            return AutoGazeImageProcessor()
        raise
