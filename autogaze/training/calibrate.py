"""Measure what stopping on the predicted loss leads to, threshold by threshold."""

from collections.abc import Sequence

import torch
from torch import Tensor

from autogaze.model.autogaze import AutoGaze
from autogaze.model.calibration import Calibration
from autogaze.training.batches import PROCESSOR
from autogaze.training.judge import PasteTable

METRIC = "mean absolute error of the pasted picture, pixels normalised with mean 0.5 and std 0.5"
THRESHOLDS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.5)
CAP = 0.3
"""Gazing ratio at most: frames that never seem good enough end here, and count with what they reached."""


def calibrate(
    model: AutoGaze,
    clips: Sequence[Tensor],
    thresholds: Sequence[float] = THRESHOLDS,
    cap: float = CAP,
    memory: bool = True,
) -> Calibration:
    """Gaze at clips, uint8 (T, 3, 224, 224), at every threshold; losses are means over frames, then clips.

    Raises ValueError without clips.
    """
    if not clips:
        raise ValueError("clips: none given; a calibration needs some that were not trained on")
    tables = [PasteTable.of(clip[None].float() / 255, memory) for clip in clips]
    reached, ratios = [], []
    for threshold in sorted(thresholds):
        losses, spent = [], []
        for clip, table in zip(clips, tables, strict=True):
            masks = _stopped(model, clip, threshold, cap)
            losses.append(table.losses(masks).mean())
            spent.append(masks.float().mean())
        reached.append(torch.stack(losses).mean().item())
        ratios.append(torch.stack(spent).mean().item())
    what = METRIC + (", earlier frames remembered" if memory else "")
    return Calibration(sorted(thresholds), reached, ratios, what, len(clips), cap)


def _stopped(model: AutoGaze, clip: Tensor, threshold: float, cap: float) -> Tensor:
    """The tokens of a clip gazed until the model thinks its loss is below the threshold; bool (1, T, 265)."""
    before, model.calibration = model.calibration, None  # thresholds are predicted losses here, as they are
    try:
        return (
            model.gaze(PROCESSOR.pixels(clip)[None].to(model.device), ratio=cap, loss=threshold).masks().cpu()
        )
    finally:
        model.calibration = before
