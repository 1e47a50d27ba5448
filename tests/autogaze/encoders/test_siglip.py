"""Gazed SigLIP: equal to the published outputs, independent of batching, strict about checkpoints."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from autogaze.encoders.attention import MODES
from autogaze.encoders.config import SiglipConfig, parse_scales
from autogaze.encoders.siglip import GazedSiglip, micro_batches
from autogaze.gaze import Gaze
from autogaze.model.checkpoint import CheckpointError
from autogaze.model.config import AutoGazeConfig
from autogaze.nvila.config import NVILAConfig

Tiny = Callable[..., GazedSiglip]


@pytest.mark.parametrize("name", ["p16_224", "p14_384"])
@pytest.mark.parametrize("mode", ["block_causal", "frame_independent"])
def test_equal_to_golden(
    shared: Path,
    golden_checkpoint: Callable[[str], Path],
    golden_video: dict[str, Tensor],
    name: str,
    mode: str,
) -> None:
    case = load_file(shared / f"golden/siglip/{name}.{mode}.safetensors")
    model = GazedSiglip.from_pretrained(golden_checkpoint(name), attn_type=mode)
    gaze = Gaze.from_published(case, model.config.scales, model.config.patch_size)
    with torch.no_grad():
        out = model(golden_video[name], gaze)
    real = ~gaze.padded
    torch.testing.assert_close(out[real], case["last_hidden_state"][real], atol=1e-4, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_a_clip_does_not_depend_on_its_batch(tiny: Tiny, video: Tensor, masks: Tensor, mode: str) -> None:
    model = tiny(attn_type=mode)
    together = Gaze.from_masks(masks)
    out = model(video, together)
    for b in range(3):
        alone = model(video[b : b + 1], Gaze.from_masks(masks[b : b + 1]))
        torch.testing.assert_close(out[b][~together.padded[b]], alone[0], atol=1e-5, rtol=0)


def test_padded_slots_are_zeros_and_influence_nobody(tiny: Tiny, video: Tensor, gaze: Gaze) -> None:
    model = tiny()
    out = model(video, gaze)
    assert gaze.padded.any()
    assert not out[gaze.padded].any()
    elsewhere = torch.where(gaze.padded, (gaze.positions + 7) % 1060, gaze.positions)
    moved = Gaze(elsewhere, gaze.per_frame, gaze.padded)
    torch.testing.assert_close(model(video, moved), out, atol=0, rtol=0)


def test_block_causal_frames_do_not_see_the_future(tiny: Tiny, video: Tensor, gaze: Gaze) -> None:
    model, changed = tiny(), video.clone()
    changed[:, 2:] += 1
    before = sum(gaze.per_frame[:2])
    a, b = model(video, gaze), model(changed, gaze)
    torch.testing.assert_close(a[:, :before], b[:, :before], atol=1e-6, rtol=0)
    assert (a[:, before:] - b[:, before:]).abs().max() > 1e-3


def test_micro_batches_change_nothing_and_keep_to_the_budget(tiny: Tiny, video: Tensor, gaze: Gaze) -> None:
    whole, split = tiny(), tiny(memory_budget=1)
    torch.testing.assert_close(whole(video, gaze), split(video, gaze), atol=1e-5, rtol=0)
    from autogaze.encoders.patches import pack

    packed = pack(gaze)
    sizes = [sum(clip) for clip in packed.counts]
    assert list(micro_batches(packed, 1, 1)) == [(0, 1), (1, 2), (2, 3)]
    assert list(micro_batches(packed, 1, sizes[0] + sizes[1])) == [(0, 2), (2, 3)]
    assert list(micro_batches(packed, 1, sum(sizes))) == [(0, 3)]


def test_gradients_reach_weights_and_match_no_grad(tiny: Tiny, video: Tensor, gaze: Gaze) -> None:
    model = tiny()
    want = model(video, gaze)
    model.requires_grad_(True)
    out = model(video, gaze)
    torch.testing.assert_close(out.detach(), want, atol=1e-5, rtol=0)
    out.square().sum().backward()
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0
        for p in model.vision_model.encoder.parameters()
        if p.ndim == 2
    )


def test_an_empty_gaze_gives_no_rows(tiny: Tiny, video: Tensor) -> None:
    nothing = Gaze.from_masks(torch.zeros(3, 4, 265, dtype=torch.bool))
    assert tiny()(video, nothing).shape == (3, 0, 32)


def whole_siglip(folder: Path) -> torch.nn.Module:
    """Save a tiny SigLIP with text tower and head, as the hub has them; returns transformers' own model."""
    from transformers import SiglipConfig as HubConfig
    from transformers import SiglipModel

    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    config = HubConfig(text_config={**shape, "vocab_size": 50}, vision_config=shape)
    model = SiglipModel(config).eval()
    model.save_pretrained(folder)
    return model


def test_ungazed_frames_equal_transformers_siglip(tmp_path: Path, video: Tensor) -> None:
    theirs = whole_siglip(tmp_path)
    ours = GazedSiglip.from_pretrained(tmp_path, attn_type="frame_independent")
    finest = torch.zeros(1, 4, 265, dtype=torch.bool)
    finest[..., 69:] = True
    with torch.no_grad():
        want = theirs.vision_model(video[0]).last_hidden_state
        got = ours(video[:1], Gaze.from_masks(finest))
    torch.testing.assert_close(got.view(4, 196, 32), want, atol=1e-4, rtol=0)


def test_sharded_checkpoints_load(tmp_path: Path) -> None:
    whole_siglip(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    names, where = sorted(tensors), {}
    for shard, part in (("a.safetensors", names[::2]), ("b.safetensors", names[1::2])):
        save_file({name: tensors[name] for name in part}, tmp_path / shard)
        where |= dict.fromkeys(part, shard)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    state = GazedSiglip.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(state[name], tensors[name]) for name in state)
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"index\.json: no weight_map; fetch the checkpoint again"):
        GazedSiglip.from_pretrained(tmp_path)


def test_a_checkpoint_that_does_not_fit_is_listed_tensor_by_tensor(tmp_path: Path) -> None:
    whole_siglip(tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    del tensors["vision_model.post_layernorm.bias"]
    tensors["vision_model.extra"] = torch.zeros(2)
    tensors["vision_model.embeddings.patch_embedding.bias"] = torch.zeros(3)
    save_file(tensors, path)
    with pytest.raises(CheckpointError) as caught:
        GazedSiglip.from_pretrained(tmp_path)
    assert str(caught.value).splitlines()[1:] == [
        "  missing: vision_model.post_layernorm.bias (32,)",
        "  surplus: vision_model.extra (2,)",
        "  shape of vision_model.embeddings.patch_embedding.bias: (3,), the model has (32,)",
    ]
    (tmp_path / "config.json").write_text("{")
    for kind in (GazedSiglip, AutoGazeConfig, NVILAConfig):
        with pytest.raises(CheckpointError, match=r"config\.json: not valid JSON"):
            kind.from_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"no file config\.json"):
        GazedSiglip.from_pretrained(tmp_path / "..")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attn_type": "x"}, "attn_type='x': allowed are block_causal"),
        ({"num_attention_heads": 5}, "num_attention_heads=5: must divide hidden_size=768"),
        ({"hidden_act": "relu"}, "hidden_act='relu'"),
        ({"num_channels": 1}, "num_channels=1"),
        ({"scales": "32+x"}, "scales='32\\+x': expected pixels"),
        ({"scales": (8,)}, "scales=\\(8,\\), patch_size=16"),
    ],
)
def test_bad_configurations(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SiglipConfig.from_json(change)


def test_bad_memory_budget_and_good_scales() -> None:
    with pytest.raises(ValueError, match="memory_budget=0"):
        GazedSiglip(SiglipConfig(num_hidden_layers=0), memory_budget=0)
    assert parse_scales("56+112+196+392") == parse_scales([56, 112, 196, 392]) == (56, 112, 196, 392)
    assert parse_scales(224) == (224,)
