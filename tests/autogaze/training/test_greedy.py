"""The incremental search equals the exhaustive one, and its losses are those of the pasted pictures.

Run: pytest tests/autogaze/training/test_greedy.py
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.reconstruction.loss import L1
from autogaze.reconstruction.mae_config import VideoMAEConfig
from autogaze.reconstruction.videomae import VideoMAE
from autogaze.training import generator
from autogaze.training.greedy import Found, paste, search
from autogaze.training.greedy_paste import PasteSearch
from autogaze.training.objectives import searched


@pytest.fixture(scope="module")
def frames() -> Tensor:
    """Three frames of a clip with motion and grain, in which no two gains are equal by accident."""
    clip = generator.clip(seed=11, frames=3).int()
    noise = torch.randint(-9, 10, clip.shape, generator=torch.Generator().manual_seed(0))
    return (clip + noise).clamp(0, 255).to(torch.uint8)


def gaze_of(found: Found, upto: int | None = None) -> Gaze:
    masks = torch.zeros(1, len(found.order), 265, dtype=torch.bool)
    for t, order in enumerate(found.order):
        masks[0, t, list(order[:upto])] = True
    return Gaze.from_masks(masks)


@pytest.mark.parametrize("memory", [True, False])
def test_incremental_equals_exhaustive(frames: Tensor, memory: bool) -> None:
    frames, budgets = (frames, (2, 1, 1)) if memory else (frames[:2], (1, 2))
    quick = searched("paste", frames, budgets, memory)
    slow = search(frames, budgets, paste(memory))
    assert quick.order == slow.order
    for ours, theirs in zip(quick.losses, slow.losses, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("memory", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_losses_are_those_of_the_pasted_picture(seed: int, memory: bool) -> None:
    clip = generator.clip(seed, frames=5)
    found = searched("paste", clip, (60, 12, 5, 1, 30), memory)
    video = clip[None].float() / 127.5 - 1
    actual = L1()(paste(memory)(video, gaze_of(found)), video)[0]
    assert [losses[-1] for losses in found.losses] == pytest.approx(actual.tolist(), abs=1e-5)


def test_each_token_is_taken_once_and_the_budget_is_met() -> None:
    """Also in a scene that stands still, where nothing can be gained."""
    still = generator.clip(0, frames=1).repeat(3, 1, 1, 1)
    found = searched("paste", still, (265, 40, 265))
    assert [len(set(order)) for order in found.order] == [265, 40, 265]
    assert [found.losses[t][-1] for t in (0, 2)] == pytest.approx([0, 0], abs=1e-6)


def test_nothing_new_costs_nothing_when_remembered() -> None:
    still = generator.clip(4, frames=1).repeat(2, 1, 1, 1)
    found = searched("paste", still, (50, 1))
    assert found.losses[1][0] <= found.losses[0][-1]
    assert searched("paste", still, (50, 1), memory=False).losses[1][0] > 2 * found.losses[1][0]


def test_loss_falls_within_a_first_frame() -> None:
    """There every token can only help, by how the pasted picture is made or by the choice among 265."""
    losses = searched("paste", generator.clip(2, frames=1), (80,)).losses[0]
    assert all(after <= before + 1e-9 for before, after in pairwise(losses))


def test_search_asks_any_reconstructor() -> None:
    """The first token is the one that a loop over all 265 finds best for the ViT-MAE, too."""
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    shape |= {f"decoder_{name}": value for name, value in shape.items()}
    model = VideoMAE(VideoMAEConfig.from_json(shape)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    clip = generator.clip(1, frames=1)
    found = search(clip, (1,), model, batch=100)
    video = clip[None].float() / 127.5 - 1
    with torch.no_grad():
        alone = [L1()(model(video, one_token(token)), video).item() for token in range(265)]
    assert found.order == ((min(range(265), key=alone.__getitem__),),)
    assert found.losses[0][0] == pytest.approx(min(alone), abs=1e-5)


def one_token(token: int) -> Gaze:
    return Gaze.from_masks(torch.arange(265)[None, None] == token)


@pytest.mark.parametrize(
    ("shape", "budgets", "message"),
    [
        ((2, 3, 224, 224), (5,), r"budgets=\(5,\): expected 2 numbers"),
        ((1, 3, 224, 224), (0,), "from 1 to 265"),
        ((1, 3, 224, 224), (266,), "from 1 to 265"),
        ((1, 3, 112, 112), (5,), "frames: torch.uint8"),
    ],
)
def test_bad_input_names_the_argument(shape: Sequence[int], budgets: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        searched("paste", torch.zeros(*shape, dtype=torch.uint8), budgets)


@pytest.mark.parametrize("memory", [True, False])
def test_replay_tells_what_the_search_saw(frames: Tensor, memory: bool) -> None:
    """Before each slot the token that the search took gains most; and the next frame starts where it started."""
    searched, replayed = PasteSearch(memory), PasteSearch(memory)
    for pixels in frames.numpy().astype(np.float32) / np.float32(255):
        order, losses = searched.frame(pixels, 30)
        gains, again = replayed.replay(pixels, order)
        assert again == pytest.approx(losses, abs=1e-9)
        assert gains.argmax(1).tolist() == list(order)
        assert np.isneginf(gains).sum(1).tolist() == list(range(30))
        falls = -np.diff(losses) * 28 * 28 / 2
        assert gains.max(1)[1:] == pytest.approx(falls, abs=1e-6)
