"""Next-token prediction: batches, targets, and a network that learns a list by heart."""

from itertools import chain

import numpy as np
import pytest
import torch

from autogaze.gaze import Gaze
from autogaze.model.config import AutoGazeConfig
from autogaze.training.batches import MIRROR, collate, pick
from autogaze.training.config import TrainConfig
from autogaze.training.initial import fresh
from autogaze.training.labels import LabelledClip
from autogaze.training.ntp import NtpStage, gain_targets, targets
from autogaze.training.objectives import searched

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=2, heads=2)


def noise_clip(seed: int, counts: tuple[int, ...]) -> LabelledClip:
    """A clip of coarse random colours with its greedy labels."""
    draw = torch.Generator().manual_seed(seed)
    cells = torch.randint(0, 256, (len(counts), 3, 7, 7), generator=draw, dtype=torch.uint8)
    frames = cells.repeat_interleave(32, 2).repeat_interleave(32, 3)
    return LabelledClip(frames, *searched("paste", frames, counts))


def test_every_clip_once_an_epoch_whatever_the_processes() -> None:
    alone = [pick(12, step, 4, 0, 1, seed=3) for step in range(6)]
    for epoch in (alone[:3], alone[3:]):
        assert sorted(chain(*epoch)) == list(range(12))
    assert alone[:3] != alone[3:]
    pair = [pick(12, step, 2, rank, 2, seed=3) for step in range(6) for rank in range(2)]
    assert list(chain(*pair)) == list(chain(*alone))


def test_mirrored_labels_are_the_labels_of_mirrored_frames() -> None:
    """Flipping pixels and tokens gives lists whose losses are still those of the search."""
    clip = noise_clip(0, (9, 5))
    flipped = searched("paste", clip.frames.flip(-1), (9, 5))
    for t in range(2):
        assert MIRROR[torch.tensor(clip.order[t])].tolist() == list(flipped.order[t])
        assert clip.losses[t] == pytest.approx(flipped.losses[t], abs=1e-6)
    assert torch.equal(MIRROR[MIRROR], torch.arange(265))


def test_collate_cuts_and_pads() -> None:
    batch = collate(
        [noise_clip(1, (4, 2, 3)), noise_clip(2, (2, 6, 3))], 2, np.random.default_rng(0), flip=False
    )
    assert batch.frames.shape == (2, 2, 3, 224, 224) and batch.gaze.per_frame == (4, 6)
    assert batch.gaze.padded.tolist() == [[False] * 6 + [True] * 4, [False] * 2 + [True] * 2 + [False] * 6]
    assert batch.gaze.positions[1, 4:].min() >= 265


def test_a_slot_says_its_own_token() -> None:
    gaze = Gaze(torch.tensor([[5, 6, 7]]), (3,), torch.tensor([[False, False, True]]))
    wanted = targets(gaze)
    assert wanted[0, 0, 5] == 1 and wanted[0, 1, 6] == 1 and wanted[0, 2].sum() == 0 and wanted.sum() == 2


def test_one_objective_however_the_clips_are_stacked() -> None:
    """A processor reads clip by clip, an accelerator all at once: the mean is over all tokens of the batch."""
    clips = [noise_clip(1, (40, 2)), noise_clip(2, (2, 3))]
    config = TrainConfig.model_validate(
        {"stage": "ntp", "labels": "x", "out": "x", "steps": 1, "batch": 2, "frames": [2], "flip": False}
    )
    model = fresh(SMALL, 0)
    stage = NtpStage(clips, config)
    loss, figures = stage(model.gazing_model, SMALL, 0, np.random.default_rng(0))
    draw = np.random.default_rng(0)
    stacked = stage.terms(model.gazing_model, SMALL, collate(clips, 2, draw, flip=False))
    assert figures["cross_entropy"] == pytest.approx(stacked.tokens.mean().item(), rel=1e-4)
    assert loss.item() == pytest.approx((stacked.tokens.mean() + stacked.losses.mean()).item(), rel=1e-4)


def test_gain_targets_share_a_slot_among_tokens_that_gain_alike() -> None:
    """The list's own token has most, taken ones and the end of list nothing, whatever is flipped or padded."""
    clips = [noise_clip(1, (9, 2)), noise_clip(2, (4, 6))]
    for flip in (False, True):
        batch = collate(clips, 2, np.random.default_rng(1), flip=flip)
        wanted = gain_targets(batch, 0.15)
        real = ~batch.gaze.padded
        tokens = batch.gaze.positions % 265
        assert torch.allclose(wanted.sum(-1), real.float(), atol=1e-5)
        assert torch.equal(wanted.argmax(-1)[real], tokens[real])
        assert wanted[..., 265].max() == 0 and wanted[0, 5, tokens[0, :5]].max() == 0
        assert (wanted[real].max(-1).values < 0.9).any()
    sharp = gain_targets(batch, 1e-3)
    assert (sharp[real].max(-1).values > 0.5).float().mean() > 0.8


def test_gain_targets_forget_where_the_picture_forgets() -> None:
    """Seen twice, a still frame gains nothing more where it is remembered: all tokens are alike."""
    clip = noise_clip(4, (40, 1))
    still = LabelledClip(clip.frames[:1].repeat(2, 1, 1, 1), (clip.order[0], (0,)), (clip.losses[0], (0.0,)))
    batch = collate([still], 2, np.random.default_rng(0), flip=False)
    forgetful, remembering = (gain_targets(batch, 0.15, memory)[0] for memory in (False, True))
    assert torch.equal(forgetful[40], forgetful[0]) and not torch.equal(remembering[40], remembering[0])


@pytest.mark.parametrize("settings", [{"dense": False}, {"dense": True, "gain": 0.02}])
def test_learns_a_list_by_heart(settings: dict[str, float], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("unused")
    clip = noise_clip(3, (11, 4))
    config = TrainConfig.model_validate(
        {
            "stage": "ntp",
            "labels": folder,
            "out": folder,
            "steps": 1,
            "batch": 1,
            "flip": False,
            "ntp": settings,
        }
    )
    torch.manual_seed(0)
    model = fresh(SMALL, 0)
    stage = NtpStage([clip], config)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(60):
        loss, figures = stage(model.gazing_model, SMALL, step, np.random.default_rng([0, step]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    video = (clip.frames.float() / 127.5 - 1 - 0.5) / 0.5
    gaze = model.eval().gaze(video[None], ratio=[11 / 265 + 1e-4, 4 / 265 + 1e-4])
    assert (gaze.positions[0] % 265).tolist() == [*clip.order[0], *clip.order[1]]
    assert figures["loss_error"] < 0.01
