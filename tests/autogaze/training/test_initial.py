"""Weights to start from: reproducible, of the published size, and looking at detail and change before any training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from autogaze.model.config import AutoGazeConfig
from autogaze.training import generator
from autogaze.training.batches import PROCESSOR
from autogaze.training.greedy_paste import _errors, as_shown
from autogaze.training.initial import cosine_places, covered, directions, fresh
from autogaze.training.initial_filters import cosine_lines, measure, patch_waves

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=2, heads=2)
PUBLISHED = replace(SMALL, vision_dim=192, hidden_size=192, intermediate_size=384, layers=4, heads=6)


def cells(clip: Tensor, t: int, side: int) -> np.ndarray:
    """What the scale of side x side patches cannot show of frame t, by 16 px cell: (196,)."""
    pixels = clip[t].numpy().astype(np.float32) / 255
    return _errors(as_shown(pixels, side), pixels).reshape(14, 2, 14, 2).mean((1, 3)).flatten()


def test_fresh_weights_depend_on_the_seed_alone_and_leave_chance_alone() -> None:
    torch.manual_seed(5)
    first = fresh(SMALL, seed=1).state_dict()
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    again, other = fresh(SMALL, seed=1).state_dict(), fresh(SMALL, seed=2).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert sum(p.numel() for p in fresh(PUBLISHED, 0).parameters()) == 3_258_240


@pytest.mark.parametrize(("axis", "side"), [(0, 7), (1, 4)])
def test_features_measure_what_coarse_tokens_cannot_show(axis: int, side: int) -> None:
    """Over the cells of eight frames of four clips."""
    clips = [generator.clip(seed, frames=2) for seed in range(4)]
    vision, direction = fresh(PUBLISHED, 0).gazing_model.vision_model, directions(192)[axis]
    with torch.no_grad():
        measured = [(vision(PROCESSOR.pixels(clip)[None])[0][0] @ direction).numpy() for clip in clips]
    true = [np.stack([cells(clip, t, side) for t in range(2)]) for clip in clips]
    assert np.corrcoef(np.stack(measured).ravel(), np.stack(true).ravel())[0, 1] > 0.7


def test_features_measure_change() -> None:
    """A patch that is replaced stands out; where nothing changes the measure is nothing."""
    clip = generator.clip(1, frames=1).repeat(2, 1, 1, 1)
    clip[1, :, 64:80, 96:112] = 255 - clip[1, :, 64:80, 96:112]
    with torch.no_grad():
        features, _ = fresh(PUBLISHED, 0).gazing_model.vision_model(PROCESSOR.pixels(clip)[None])
    change = (features[0, 1] @ directions(192)[2]).view(14, 14)
    assert change.argmax() == 4 * 14 + 6 and change[4, 6] > 0.1
    assert change[8:].abs().max() < 1e-4


def test_contrast_survives_the_norm() -> None:
    """Half the contrast is half the detail: the norm behind the filters takes nothing of it away."""
    noise = torch.randint(-20, 21, (1, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    vision, axis = fresh(PUBLISHED, 0).gazing_model.vision_model, directions(192)[0]
    with torch.no_grad():
        strong, weak = (
            (vision(PROCESSOR.pixels((128 + noise // part).to(torch.uint8))[None])[0] @ axis).mean()
            for part in (1, 2)
        )
    assert float(weak / strong) == pytest.approx(0.5, abs=0.06)


def test_untrained_votes_follow_the_picture() -> None:
    """Grain in one corner of a flat frame draws the fine tokens there, wherever the corner is."""
    model = fresh(PUBLISHED, 0).eval()
    for top, left in ((0, 0), (0, 7), (7, 0)):
        frame = torch.full((1, 3, 224, 224), 128, dtype=torch.uint8)
        grain = torch.randint(0, 256, (3, 112, 112), generator=torch.Generator().manual_seed(1))
        frame[0, :, top * 16 : top * 16 + 112, left * 16 : left * 16 + 112] = grain
        with torch.no_grad():
            features, _ = model.gazing_model.features(PROCESSOR.pixels(frame)[None])
            attended = torch.ones(1, 196, dtype=torch.bool)
            hidden = model.gazing_model.gaze_decoder(features[:, 0], attended)[0, -1]
            votes = model.gazing_model.gaze_decoder.lm_head(hidden).view(10, 266)[0, 69:265].view(14, 14)
        inside = votes[top : top + 7, left : left + 7].mean()
        assert inside > (votes.sum() - inside * 49) / 147 + 0.05


def test_waves_and_places_are_orthogonal() -> None:
    lines = cosine_lines(14)
    assert torch.allclose(lines @ lines.T, torch.eye(14), atol=1e-5)
    waves, highest = patch_waves(16)
    assert torch.allclose(waves.flatten(1) @ waves.flatten(1).T, torch.eye(256), atol=1e-5)
    assert highest.max() == 15 and int((highest < 4).sum()) == 16
    places = cosine_places(14, 192)
    products = places @ places.T
    assert (products - torch.diag(products.diag())).abs().max() < 0.1 * products.diag().min()


def test_coarse_tokens_cover_the_frame_once() -> None:
    for side in (2, 4, 7, 14):
        shares = covered(side, 14)
        assert torch.allclose(shares.sum(1), torch.ones(side * side))
        assert torch.allclose(shares.sum(0), torch.full((196,), side * side / 196))
    assert covered(2, 14)[0].view(14, 14)[:7, :7].min() > 0 and covered(2, 14)[0].view(14, 14)[7:].max() == 0


def test_filters_too_few_for_the_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="vision_dim=16"):
        measure(
            fresh(SMALL, 0).gazing_model.vision_model.__class__(replace(SMALL, vision_dim=16)), directions(48)
        )
