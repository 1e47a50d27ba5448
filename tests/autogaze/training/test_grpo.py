"""Reinforcement: returns worked by hand, groups that compare, and a policy that finds the better token."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from autogaze.gaze import Gaze
from autogaze.model.config import AutoGazeConfig
from autogaze.reconstruction.mae_config import VideoMAEConfig
from autogaze.reconstruction.videomae import VideoMAE
from autogaze.training.config import TrainConfig
from autogaze.training.grpo import GrpoStage, advantages, policy_loss
from autogaze.training.initial import fresh
from autogaze.training.judge import judge_of
from autogaze.training.labels import LabelledClip
from autogaze.training.rollouts import roll_out, there_and_back

SMALL = AutoGazeConfig(vision_dim=48, hidden_size=48, intermediate_size=64, layers=2, heads=2)


def config(**grpo: object) -> TrainConfig:
    return TrainConfig.model_validate(
        {"stage": "grpo", "labels": "x", "out": "x", "steps": 40, "batch": 1, "flip": False, "grpo": grpo}
    )


def half_and_half() -> torch.Tensor:
    """Two frames whose left half is mid-grey, as unseen, and whose right half is noise in 32 px cells."""
    cells = torch.randint(0, 256, (1, 3, 7, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    right = cells.repeat_interleave(32, 2).repeat_interleave(28, 3)
    return torch.cat([torch.full((1, 3, 224, 112), 128, dtype=torch.uint8), right], 3).repeat(2, 1, 1, 1)


def test_advantages_by_hand() -> None:
    """Two gazes, frames of 2 and 1 tokens, losses (1, 2) and (3, 2); discount one half."""
    gain = advantages(torch.tensor([[1.0, 2], [3, 2]]), (2, 1), 0.5, rewarded=[0, 1])
    # Returns of the first: -1 * (1/2, 1) - 2 * (1/4, 1/2, 1); of the second with 3 for 1. Means taken off.
    assert gain.tolist() == [[pytest.approx(0.5), pytest.approx(1.0), 0.0], [-0.5, -1.0, 0.0]]
    late = advantages(torch.tensor([[1.0, 2], [3, 2]]), (2, 1), 0.5, rewarded=[1])
    assert late.abs().max() == 0


def test_group_shares_counts_and_differs_in_tokens() -> None:
    model = fresh(SMALL, 0)
    features = torch.randn(1, 2, 196, 48, generator=torch.Generator().manual_seed(0)).expand(4, -1, -1, -1)
    gaze = roll_out(model.gazing_model, SMALL, features, (12, 5), 1.0, np.random.default_rng(0))
    assert gaze.per_frame == (12, 5) and not gaze.padded.any()
    assert len({tuple(row) for row in gaze.positions.tolist()}) == 4
    again = roll_out(model.gazing_model, SMALL, features, (12, 5), 1.0, np.random.default_rng(0))
    assert torch.equal(gaze.positions, again.positions)


def test_threshold_roll_out_sets_the_counts() -> None:
    model = fresh(SMALL, 0)
    stage = GrpoStage([], config(thresholds=[100.0, 100.0], ratios=[0.02, 0.1]))
    features = torch.randn(1, 2, 196, 48, generator=torch.Generator().manual_seed(0))
    draw = np.random.default_rng(0)
    assert stage._counts(model.gazing_model, SMALL, features, 1.0, draw) == (1, 1)
    never = GrpoStage([], config(thresholds=[-100.0, -100.0], ratios=[0.02, 0.1]))
    assert never._counts(model.gazing_model, SMALL, features, 1.0, draw) == (26, 26)


def test_gradient_pushes_rewarded_tokens_up() -> None:
    """The derivative of the policy loss is minus the mean advantage times the derivative of log p."""
    model = fresh(SMALL, 0)
    video = torch.randn(1, 1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    features, _ = model.gazing_model.features(video)
    features = features.detach().expand(2, -1, -1, -1)
    gaze = roll_out(model.gazing_model, SMALL, features, (3,), 1.0, np.random.default_rng(0))
    from autogaze.training.forcing import read

    scores = read(model.gazing_model, SMALL, features, gaze)
    gain = torch.tensor([[0.5, 0.2, 0.1], [-0.5, -0.2, -0.1]])
    (pushed,) = torch.autograd.grad(policy_loss(scores, gaze, gain, 1.0), scores.logits, retain_graph=True)
    log_p = scores.logits.log_softmax(-1).gather(-1, (gaze.positions % 265)[..., None])[..., 0]
    (expected,) = torch.autograd.grad(-(gain * log_p).sum(1).mean(), scores.logits)
    assert torch.allclose(pushed, expected, atol=1e-7)


def test_policy_learns_where_the_picture_is() -> None:
    """Only the right half holds anything: the share of tokens spent there, and the reward, have to rise."""
    clip = LabelledClip(half_and_half(), ((0,), (0,)), ((0.1,), (0.1,)))
    stage = GrpoStage([clip], config(group=8, reward_frames=0, counts="schedule", ratios=[0.02, 0.021]))
    model = fresh(SMALL, 0)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    said = []
    for step in range(40):
        loss, figures = stage(model.gazing_model, SMALL, step, np.random.default_rng([0, step]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        said.append(figures["reconstruction"])
    assert np.mean(said[-8:]) < 0.93 * np.mean(said[:8])  # 0.62 when written; 1.0 without learning


def test_reward_may_be_the_published_reconstruction(tmp_path: Path) -> None:
    """`videomae:FOLDER`: every frame painted alone from what was gazed at, its L1 of normalised pixels."""
    from safetensors.torch import save_file

    sizes = VideoMAEConfig(
        hidden_size=48,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        decoder_hidden_size=32,
        decoder_intermediate_size=32,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2,
        max_num_frames=2,
    )
    torch.manual_seed(0)
    model = VideoMAE(sizes).eval()
    written = {**asdict(sizes), "scales": "+".join(map(str, sizes.scales))}
    (tmp_path / "config.json").write_text(json.dumps(written))
    save_file(
        {name: part.contiguous() for name, part in model.state_dict().items()}, tmp_path / "model.safetensors"
    )
    clip = half_and_half()[None].float() / 255
    gaze = Gaze.from_masks(torch.rand(3, 2, 265, generator=torch.Generator().manual_seed(0)) < 0.05)
    losses = GrpoStage([], config(reward=f"videomae:{tmp_path}"))._losses(clip, gaze)
    video = (clip * 2 - 1).expand(3, -1, -1, -1, -1)
    with torch.no_grad():
        second = (model(video, gaze, [1]) - video[:, 1:]).abs().mean((1, 2, 3, 4))
    assert losses.shape == (3, 2) and torch.allclose(losses[:, 1], second, atol=1e-5)


def test_an_unknown_reward_is_named() -> None:
    with pytest.raises(ValueError, match=r"grpo\.reward"):
        config(reward="videomae")
    with pytest.raises(ValueError, match="expected paste, text or videomae:FOLDER"):
        judge_of("learned")


def test_cuts_turn_a_clip_into_another() -> None:
    dark, bright = (
        LabelledClip(torch.full((4, 3, 224, 224), value, dtype=torch.uint8), ((0,),) * 4, ((0.1,),) * 4)
        for value in (10, 200)
    )
    stage, draw = GrpoStage([bright], config(cuts=0.5)), np.random.default_rng(0)
    seen = {tuple(stage._cut(dark.frames, draw)[:, 0, 0, 0].tolist()) for _ in range(40)}
    assert seen == {(10, 200, 200, 200), (10, 10, 200, 200), (10, 10, 10, 200)}
    assert len(stage._cut(dark.frames[:1], draw)) == 1
    assert len(stage._cut(there_and_back(dark.frames, 7), draw)) == 7  # longer than any clip there is
