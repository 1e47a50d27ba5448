"""Teacher forcing must score a gaze exactly as decoding chose it."""

import pytest
import torch

from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.teacher import pairs_of
from autogaze.training.forcing import places, read
from autogaze.training.initial import fresh

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=2, heads=2)


@pytest.fixture(scope="module")
def model() -> AutoGaze:
    return fresh(SMALL, seed=1).eval()


def test_scores_are_those_that_decoding_chose_from(model: AutoGaze) -> None:
    video = torch.randn(2, 3, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    gaze = model.gaze(video, ratio=[0.1, 0.15, 0.04])
    assert gaze.per_frame == (26, 39, 10)
    with torch.no_grad():
        features, _ = model.gazing_model.features(video)
        scores = read(model.gazing_model, SMALL, features, gaze)
    assert torch.equal(scores.logits.argmax(-1), gaze.positions % 265)


def test_stopping_losses_are_those_that_decoding_compared(model: AutoGaze) -> None:
    """A threshold just above a slot's predicted loss stops there, one just below goes on."""
    video = torch.randn(1, 1, 3, 224, 224, generator=torch.Generator().manual_seed(2))
    gaze = model.gaze(video, ratio=0.08)
    with torch.no_grad():
        features, _ = model.gazing_model.features(video)
        losses = read(model.gazing_model, SMALL, features, gaze).losses[0]
    slot = int(losses[1:].argmin()) + 1
    below, above = losses[slot].item() - 1e-4, losses[slot].item() + 1e-4
    assert not model.gaze(video, ratio=0.08, loss=below).padded.any()
    assert bool(model.gaze(video, ratio=0.08, loss=above).padded[0, slot])


def test_padded_lists_read_like_shorter_ones(model: AutoGaze) -> None:
    """A clip beside a longer one gets the scores it gets alone."""
    draw = torch.Generator().manual_seed(3)
    video = torch.randn(1, 2, 3, 224, 224, generator=draw)
    tokens = torch.randperm(265, generator=draw)[:13]
    alone = Gaze(
        torch.cat([tokens[:9], tokens[9:] + 265])[None], (9, 4), torch.zeros(1, 13, dtype=torch.bool)
    )
    slots = [*range(9), *range(12, 16)]
    positions, padded = torch.zeros(1, 20, dtype=torch.long), torch.ones(1, 20, dtype=torch.bool)
    positions[0, slots], padded[0, slots] = alone.positions[0], False
    with torch.no_grad():
        features, _ = model.gazing_model.features(video)
        short = read(model.gazing_model, SMALL, features, alone)
        long = read(model.gazing_model, SMALL, features, Gaze(positions, (12, 8), padded))
    assert torch.allclose(long.logits[:, slots], short.logits, atol=1e-5)


def test_groups_share_the_last_features_places() -> None:
    """Worked by hand: 196 features, a group of ten, then three tokens that wait for the next frame."""
    gaze = Gaze(torch.arange(13)[None], (13,), torch.zeros(1, 13, dtype=torch.bool))
    where, attended = places(gaze, features=196, ahead=10)
    assert where[0, :196].tolist() == list(range(196)) and bool(attended.all())
    assert where[0, 196:206].tolist() == list(range(186, 196))
    assert where[0, 206:].tolist() == [206, 207, 208]


def test_pairs_cover_each_slot_once_or_densely() -> None:
    pairs = pairs_of((12, 3), ahead=10)
    assert pairs.slots.tolist() == list(range(15))
    assert pairs.rows.tolist() == [0] * 10 + [10] * 2 + [13] * 3
    dense = pairs_of((12, 3), ahead=10, dense=True)
    assert len(dense.slots) == 10 * 3 + sum(range(1, 10)) + 6
    assert torch.equal(dense.rows + dense.heads - (dense.slots >= 12).long(), dense.slots)
