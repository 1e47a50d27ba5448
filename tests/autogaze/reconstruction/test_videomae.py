"""The reconstruction model: equal to the published losses and pictures, causal, strict."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from autogaze.gaze import Gaze
from autogaze.model.checkpoint import CheckpointError
from autogaze.reconstruction.loss import L1
from autogaze.reconstruction.mae_config import VideoMAEConfig
from autogaze.reconstruction.videomae import VideoMAE

TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "decoder_hidden_size": 16,
    "decoder_intermediate_size": 32,
    "decoder_num_hidden_layers": 1,
    "decoder_num_attention_heads": 2,
}


def tiny(**config: object) -> VideoMAE:
    torch.manual_seed(0)
    model = VideoMAE(VideoMAEConfig.from_json({**TINY, **config})).eval().requires_grad_(False)
    for parameter in model.parameters():  # embeddings start at zero, which would hide mistakes
        parameter.copy_(torch.randn_like(parameter) * 0.2)
    return model


def uneven_gaze() -> Gaze:
    drawn = torch.rand(2, 4, 265, generator=torch.Generator().manual_seed(3))
    return Gaze.from_masks(drawn < torch.tensor([[0.2, 0.02, 0.1, 0.05], [0.05, 0.1, 0.0, 0.02]])[..., None])


@pytest.fixture
def video() -> torch.Tensor:
    return torch.randn(2, 4, 3, 224, 224, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("name", ["ratio_0.10", "ratio_0.75_loss"])
def test_equal_to_golden(shared: Path, name: str) -> None:
    case = load_file(shared / f"golden/videomae/case_{name}.safetensors")
    gaze = Gaze.from_published(load_file(shared / f"golden/autogaze/case_{name}.safetensors"))
    inputs = load_file(shared / "golden/autogaze/inputs.safetensors")
    clip = inputs["clip"]
    clips = [clip, clip.flip(-1) * 0.5, inputs["noise"].float()]
    video = torch.cat(clips[: gaze.batch])
    frames = case["frame_idx_to_reconstruct"].tolist()
    with torch.no_grad():
        pictures = VideoMAE.from_pretrained(shared / "golden/videomae")(video, gaze, frames)
    # Stored as float16: half a unit in the last place of values up to 8.
    torch.testing.assert_close(pictures, case["reconstruction"].float(), atol=1e-4, rtol=2**-11)
    losses = L1()(pictures, video[:, frames])
    torch.testing.assert_close(losses, case["loss_each_reconstruction_frame"], atol=1e-4, rtol=0)
    torch.testing.assert_close(losses.mean(1), case["loss_mean"], atol=1e-4, rtol=0)


def test_a_clip_does_not_depend_on_its_batch(video: torch.Tensor) -> None:
    model, gaze = tiny(), uneven_gaze()
    out = model(video, gaze, [1, 3])
    for b in range(2):
        alone = model(video[b : b + 1], Gaze.from_masks(gaze.masks()[b : b + 1]), [1, 3])
        torch.testing.assert_close(out[b : b + 1], alone, atol=1e-4, rtol=0)


def test_a_picture_depends_on_the_past_only(video: torch.Tensor) -> None:
    model, gaze = tiny(), uneven_gaze()
    changed = video.clone()
    changed[:, 2] += 1
    before, after = model(video, gaze), model(changed, gaze)
    torch.testing.assert_close(before[:, :2], after[:, :2], atol=1e-5, rtol=0)
    assert (before[0, 3] - after[0, 3]).abs().max() > 1e-3


def test_without_causality_the_future_counts(video: torch.Tensor) -> None:
    model, gaze = tiny(causal=False), uneven_gaze()
    changed = video.clone()
    changed[:, 2] += 1
    assert (model(video, gaze, [0])[0] - model(changed, gaze, [0])[0]).abs().max() > 1e-3


def test_embeddings_of_scale_and_time_are_optional(video: torch.Tensor) -> None:
    model = tiny(scale_embed=False, time_embed=False)
    assert not any("time_embed" in name or "scale_embed" in name for name in model.state_dict())
    assert model(video, uneven_gaze(), [0]).shape == (2, 1, 3, 224, 224)


@pytest.mark.parametrize("frames", [[], [3, 1], [1, 1], [-1], [4]])
def test_bad_frames(video: torch.Tensor, frames: list[int]) -> None:
    with pytest.raises(ValueError, match="distinct ascending numbers from 0 to 3"):
        tiny()(video, uneven_gaze(), frames)


def test_more_frames_than_time_embeddings(video: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="4 frames, this model knows at most 3"):
        tiny(max_num_frames=3)(video, uneven_gaze())


@pytest.mark.parametrize(
    ("change", "message"),
    [({"scales": "32+64"}, "the last must be image_size=224"), ({"num_attention_heads": 5}, "must divide")],
)
def test_bad_configurations(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VideoMAEConfig.from_json({**TINY, **change})


def test_checkpoints_are_loaded_strictly(tmp_path: Path) -> None:
    model = tiny()
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    (tmp_path / "config.json").write_text(json.dumps({**TINY, "loss_type": "l1"}))
    save_file(tensors, tmp_path / "model.safetensors")
    loaded = VideoMAE.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)
    del tensors["decoder.mask_token"]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"missing: decoder.mask_token \(1, 1, 16\)"):
        VideoMAE.from_pretrained(tmp_path)


def test_the_published_file_is_read_under_its_training_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`videomae.pt` was saved from a data-parallel training run, with the networks of its loss in it."""
    shape = VideoMAEConfig.from_json(TINY)
    monkeypatch.setattr("autogaze.reconstruction.videomae.VideoMAEConfig", lambda: shape)
    tensors = tiny().state_dict()
    saved = {f"module.mae.{name}": tensor for name, tensor in tensors.items()}
    torch.save({**saved, "module.mae.dinov2_reg.x": torch.zeros(1)}, tmp_path / "videomae.pt")
    loaded = VideoMAE.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)
    torch.save({**saved, "module.mae.other": torch.zeros(1)}, tmp_path / "videomae.pt")
    with pytest.raises(CheckpointError, match="surplus: other"):
        VideoMAE.from_pretrained(tmp_path)
