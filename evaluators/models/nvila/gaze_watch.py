"""Keeps what NVILA-HD gazed at in the tiles of a video, batch by batch as it comes by."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from autogaze.encoders.config import SiglipConfig
from autogaze.nvila.processing import ClipBatch, VideoPlan
from autogaze.nvila.settings import CLIP_FRAMES
from evaluators.core.gaze_file import Mask, Recorder


@dataclass
class GazeWatch:
    """Is called with every batch; thumbnails are left out, being the same frames once more."""

    recorder: Recorder
    _tiles: dict[int, list[Mask]] = field(default_factory=dict)

    @classmethod
    def for_video(cls, path: Path) -> "GazeWatch | None":
        """For this video, where gazes are to be kept."""
        recorder = Recorder.for_video(path)
        return cls(recorder) if recorder else None

    def __call__(self, batch: ClipBatch) -> None:
        """Remember a batch of tiles; those of a chunk come row by row."""
        if batch.kind != "tile":
            return
        masks = batch.gaze.masks().cpu().numpy()
        for t in range(masks.shape[1]):
            self._tiles.setdefault(batch.chunk * CLIP_FRAMES + t, []).extend(masks[:, t])

    def save(self, plan: VideoPlan, vision: SiglipConfig) -> str:
        """Write the file; its name. Of a frame that is sampled twice the first gaze is kept."""
        for place, index in enumerate(plan.indices):
            if index not in self.recorder.masks:
                self.recorder.add(index, np.stack(self._tiles[place]))
        grid = plan.grid
        return self.recorder.save(
            rows=grid.rows,
            columns=grid.columns,
            size=grid.size,
            scales=tuple(vision.scales),
            patch=vision.patch_size,
        )
