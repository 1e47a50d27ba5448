"""`autogaze.vision_encoders.siglip`: the published import path, call and result."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from autogaze.encoders.siglip import GazedSiglip
from autogaze.gaze import Gaze
from autogaze.model.checkpoint import CheckpointError
from autogaze.vision_encoders.siglip import SiglipVisionModel

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def random_model() -> SiglipVisionModel:
    from transformers import SiglipVisionConfig

    torch.manual_seed(0)
    return SiglipVisionModel._from_config(SiglipVisionConfig(**SHAPE)).eval().requires_grad_(False)


def test_published_call_equals_golden(
    shared: Path, golden_checkpoint: Callable[[str], Path], golden_video: dict[str, Tensor]
) -> None:
    case = load_file(shared / "golden/siglip/p16_224.block_causal.safetensors")
    model = SiglipVisionModel.from_pretrained(
        golden_checkpoint("p16_224"), scales="32+64+112+224", attn_implementation="sdpa"
    )
    assert not model.training
    with torch.no_grad():
        out = model(golden_video["p16_224"], gazing_info=case).last_hidden_state
    real = ~case["if_padded_gazing"].bool()
    torch.testing.assert_close(out[real], case["last_hidden_state"][real], atol=1e-4, rtol=0)


def test_keywords_of_from_pretrained_reach_the_model(tmp_path: Path) -> None:
    random_model().save_pretrained(tmp_path)
    model = SiglipVisionModel.from_pretrained(
        tmp_path, scales="56+112+196+224", attn_type="frame_independent", dtype=torch.bfloat16
    )
    assert model.vision_model.config.scales == (56, 112, 196, 224)
    assert model.vision_model.config.attn_type == "frame_independent"
    assert model.dtype == torch.bfloat16


def test_saved_checkpoints_are_plain_siglip(tmp_path: Path, video: Tensor, gaze: Gaze) -> None:
    model = random_model()
    model.save_pretrained(tmp_path)
    native = GazedSiglip.from_pretrained(tmp_path).requires_grad_(False)
    got = model(video, gazing_info=gaze.to_published()).last_hidden_state
    torch.testing.assert_close(got, native(video, gaze), atol=0, rtol=0)


def test_a_tower_saved_alone_by_transformers_loads(tmp_path: Path, video: Tensor, gaze: Gaze) -> None:
    """transformers 5 leaves the prefix `vision_model.` out of it; both ways in read the same weights."""
    from transformers import SiglipVisionConfig
    from transformers import SiglipVisionModel as Plain

    Plain(SiglipVisionConfig(**SHAPE)).save_pretrained(tmp_path)
    native = GazedSiglip.from_pretrained(tmp_path).requires_grad_(False)
    published = SiglipVisionModel.from_pretrained(tmp_path).requires_grad_(False)
    got = published(video, gazing_info=gaze.to_published()).last_hidden_state
    torch.testing.assert_close(got, native(video, gaze), atol=0, rtol=0)


def test_hidden_states_tuple_output_and_no_gaze(video: Tensor, gaze: Gaze) -> None:
    model = random_model()
    info = gaze.to_published()
    out = model(video, gazing_info=info, output_hidden_states=True)
    assert len(out.hidden_states) == 3
    torch.testing.assert_close(
        model.vision_model.post_layernorm(out.hidden_states[-1])[~gaze.padded],
        out.last_hidden_state[~gaze.padded],
        atol=1e-5,
        rtol=0,
    )
    assert torch.equal(model(video, gazing_info=info, return_dict=False)[0], out.last_hidden_state)
    assert model(video[:1, :2]).last_hidden_state.shape == (1, 530, 32)
    with pytest.raises(ValueError, match=r"pixel_values: shape \(4, 3, 224, 224\)"):
        model(video[0])


def test_missing_and_surplus_tensors_are_errors(tmp_path: Path) -> None:
    random_model().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["vision_model.post_layernorm.bias"]
    tensors["vision_model.extra"] = torch.zeros(1)
    tensors["text_model.ignored"] = torch.zeros(1)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError) as caught:
        SiglipVisionModel.from_pretrained(tmp_path)
    assert str(caught.value).splitlines()[1:] == [
        "  missing: vision_model.post_layernorm.bias",
        "  surplus: vision_model.extra",
    ]
