"""The network's own lists: repeatable, and worth what the pasted pictures say."""

import numpy as np
import pytest
import torch

from autogaze.model.config import AutoGazeConfig
from autogaze.training import generator
from autogaze.training.config import Ntp, TrainConfig
from autogaze.training.initial import fresh
from autogaze.training.judge import PasteTable
from autogaze.training.labels import LabelledClip
from autogaze.training.ntp import NtpStage
from autogaze.training.rollouts import own_list, there_and_back

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=2, heads=2)


def config(memory: bool = True, **ntp: object) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "stage": "ntp",
            "labels": "x",
            "out": "x",
            "steps": 4,
            "batch": 1,
            "memory": memory,
            "ntp": {"gain": 0.15, "own": 1.0, "dense": True, **ntp},
        }
    )


def written(seed: int, memory: bool = True) -> LabelledClip:
    network = fresh(SMALL, 0).gazing_model
    return own_list(network, SMALL, generator.clip(3, 4), config(memory), np.random.default_rng(seed))


@pytest.mark.parametrize("memory", [True, False])
def test_losses_are_those_of_the_pasted_pictures(memory: bool) -> None:
    clip = written(0, memory)
    masks = torch.zeros(1, 4, 265, dtype=torch.bool)
    for t, tokens in enumerate(clip.order):
        assert len(set(tokens)) == len(tokens)
        masks[0, t, list(tokens)] = True
    actual = PasteTable.of(clip.frames[None].float() / 255, memory).losses(masks)[0]
    assert [losses[-1] for losses in clip.losses] == pytest.approx(actual.tolist(), abs=1e-5)


def test_lists_are_as_long_as_drawn_and_repeat() -> None:
    even = uneven = False
    for seed in range(12):
        clip, again = written(seed), written(seed)
        assert clip.order == again.order and clip.losses == again.losses
        counts = [len(tokens) for tokens in clip.order]
        even, uneven = even or len(set(counts)) == 1, uneven or len(set(counts)) > 1
        assert max(counts) < 265
    assert even and uneven


def test_a_step_on_own_lists_depends_on_the_network() -> None:
    """Same clip, same chance, another network: other lists, so another loss than on the search's list."""
    clip = written(0)
    model = fresh(SMALL, 0)
    losses = [
        NtpStage([clip], config(own=own))(model.gazing_model, SMALL, 0, np.random.default_rng(5))[0].item()
        for own in (1.0, 1.0, 0.0)
    ]
    assert losses[0] == losses[1] != losses[2]


def test_own_lists_are_cut_to_the_frames_drawn() -> None:
    model, clip = fresh(SMALL, 0), written(0)
    stage = NtpStage([clip], config())
    assert len(stage._clip(model.gazing_model, SMALL, clip, 2, np.random.default_rng(1)).frames) == 2


def test_short_clips_run_there_and_back() -> None:
    frames = torch.arange(4)
    assert there_and_back(frames, 9).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert there_and_back(frames, 3).tolist() == [0, 1, 2] and there_and_back(frames, 0).tolist() == [
        0,
        1,
        2,
        3,
    ]
    assert there_and_back(frames[:1], 3).tolist() == [0, 0, 0]


def test_own_lists_need_gains() -> None:
    with pytest.raises(ValueError, match=r"own 0\.5 without gain"):
        Ntp(own=0.5)
