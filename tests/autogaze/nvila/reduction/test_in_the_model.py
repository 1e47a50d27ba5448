"""Reduction inside NVILA: the scores are the encoder's and the language model's own attention; counts add up.

Run: pytest tests/autogaze/nvila/reduction/test_in_the_model.py
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import everything
from autogaze.nvila.model import NVILAHD, ContextOverflowError, Seen
from autogaze.nvila.presets import shape
from autogaze.nvila.processing import ClipBatch
from autogaze.nvila.reduction import Reduction, names
from autogaze.nvila.reduction.attention import with_attention
from autogaze.nvila.reduction.llm import last_attention, prune


@pytest.fixture(scope="module")
def config() -> NVILAConfig:
    tiny = shape("tiny")
    return tiny.single_scale(tiny.tile)


@pytest.fixture(scope="module")
def model(config: NVILAConfig) -> NVILAHD:
    return NVILAHD.from_config(config, seed=0)


@pytest.fixture(scope="module")
def batch(config: NVILAConfig) -> ClipBatch:
    side = config.tile
    pixels = torch.rand(1, 4, 3, side, side, generator=torch.Generator().manual_seed(0))
    return ClipBatch("tile", 0, 0, pixels, _all(config, 1, 4))


def _all(config: NVILAConfig, clips: int, frames: int) -> Gaze:
    return everything(clips, frames, config.vision.scales, config.vision.patch_size, "cpu")


@torch.no_grad()
def test_scores_are_the_attention_of_transformers_own_siglip(model: NVILAHD, batch: ClipBatch) -> None:
    """Its eager attention in the same layer, heads and queries averaged."""
    from transformers import SiglipVisionConfig, SiglipVisionModel

    own = model.config.vision
    sizes = {name: getattr(own, name) for name in ("hidden_size", "intermediate_size", "num_hidden_layers")}
    theirs = SiglipVisionModel(
        SiglipVisionConfig(
            **sizes,
            num_attention_heads=own.num_attention_heads,
            image_size=own.image_size,
            patch_size=own.patch_size,
            layer_norm_eps=own.layer_norm_eps,
            vision_use_head=False,
            attn_implementation="eager",
        )
    )
    state = model.vision.state_dict()
    known = theirs.state_dict()
    state = {
        name if name in known else name.removeprefix("vision_model."): value for name, value in state.items()
    }
    theirs.load_state_dict(state)
    pixels = batch.pixels * 2 - 1
    features, scores = with_attention(model.vision, pixels, batch.gaze)
    out = theirs.eval()(pixels[0], output_attentions=True, interpolate_pos_encoding=True)
    expected = out.attentions[max(0, own.num_hidden_layers - 2)].mean(dim=(1, 2)).flatten()
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(features, model.vision.packed(pixels, batch.gaze))
    torch.testing.assert_close(scores.view(4, -1).sum(-1), torch.ones(4))


@torch.no_grad()
def test_the_prompts_attention_is_that_of_transformers(model: NVILAHD) -> None:
    """Of any layer; FastV's K = 2 ranks by the second, which is neither the first nor the last of these four."""
    config = replace(model.config, llm={**model.config.llm, "num_hidden_layers": 4})
    llm = NVILAHD.from_config(config, seed=1).llm
    embeds = torch.randn(1, 30, int(config.llm["hidden_size"]), generator=torch.Generator().manual_seed(1))
    found = [last_attention(llm, embeds, layer) for layer in range(4)]
    ranked = last_attention(llm, embeds)
    llm.set_attn_implementation("eager")
    out = llm.model(inputs_embeds=embeds, output_attentions=True)
    expected = [layer[0, :, -1].mean(0) for layer in out.attentions]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ranked, expected[1], rtol=1e-4, atol=1e-6)


@torch.no_grad()
def test_fastv_drops_only_visual_tokens_and_those_looked_at_least(model: NVILAHD) -> None:
    hidden = int(model.config.llm["hidden_size"])
    embeds = torch.randn(1, 30, hidden, generator=torch.Generator().manual_seed(2))
    left = prune(model.llm, embeds, start=5, count=20, keep=0.25)
    scores = last_attention(model.llm, embeds)[5:25]
    best = sorted(5 + int(place) for place in scores.topk(5).indices)
    assert torch.equal(left, embeds[:, [*range(5), *best, *range(25, 30)]])


@pytest.mark.parametrize("name", names())
def test_fewer_tokens_reach_the_language_model(name: str, model: NVILAHD, batch: ClipBatch) -> None:
    model.reduction = None
    whole = model.see([batch], room=10_000)
    model.reduction = Reduction(name, 0.25)
    try:
        seen = model.see([batch], room=10_000)
        embeds = model.embed([1, 2, 3], 2, seen)
    finally:
        model.reduction = None
    assert seen.patches == whole.patches == whole.gazed
    if name == "fastv":
        assert torch.equal(seen.embeddings, whole.embeddings), "pruned later, by the prompt's attention"
        assert embeds.shape[1] == 2 + round(0.25 * len(whole.embeddings))
    else:
        # Nine tokens stand side by side, frame by frame: each of at most four frames may waste a part of one.
        assert len(seen.embeddings) <= 0.25 * len(whole.embeddings) + 4
        assert embeds.shape[1] == 2 + len(seen.embeddings)
    assert bool(torch.isfinite(embeds).all())


def test_what_comes_out_reduced_may_fit_where_all_of_it_does_not(model: NVILAHD, batch: ClipBatch) -> None:
    room = len(model.see([batch], room=10_000).embeddings) // 2
    with pytest.raises(ContextOverflowError):
        model.see([batch], room=room)
    model.reduction = Reduction("spatial", 0.25)
    try:
        assert isinstance(model.see([batch], room=room), Seen)
        with pytest.raises(ContextOverflowError):
            model.see([batch], room=1)
    finally:
        model.reduction = None


def test_gazed_patches_cannot_be_reduced(model: NVILAHD, batch: ClipBatch, config: NVILAConfig) -> None:
    masks: Tensor = batch.gaze.masks().clone()
    masks[..., 0] = False
    some = Gaze.from_masks(masks, config.vision.scales, config.vision.patch_size)
    model.reduction = Reduction("tome", 0.25)
    try:
        with pytest.raises(ValueError, match="gazing off"):
            model.encode(ClipBatch("tile", 0, 0, batch.pixels, some))
    finally:
        model.reduction = None
