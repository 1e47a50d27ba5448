"""AutoGaze without golden data: checkpoints, bad input, sampling, processor, published helpers.

pytest tests/autogaze/model/test_autogaze.py
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from autogaze.datasets.video_utils import process_video_frames, read_video_pyav, transform_video_for_pytorch
from autogaze.model.checkpoint import CheckpointError
from autogaze.model.config import AutoGazeConfig
from autogaze.models.autogaze import AutoGaze, AutoGazeImageProcessor
from autogaze.selectors.autogaze import AutoGazeSelector


def clip(frames: int = 1, batch: int = 1, side: int = 224) -> torch.Tensor:
    return torch.rand(batch, frames, 3, side, side, generator=torch.Generator().manual_seed(3)) * 4 - 3


def test_it_has_the_published_number_of_parameters(random_model: AutoGaze) -> None:
    assert sum(p.numel() for p in random_model.parameters()) == 3_258_240


def test_save_and_load(random_model: AutoGaze, tmp_path: Path) -> None:
    random_model.save_pretrained(tmp_path)
    again = AutoGaze.from_pretrained(tmp_path)
    assert again.config == random_model.config
    before, after = (model.gaze(clip(), ratio=0.05).positions for model in (random_model, again))
    assert torch.equal(before, after)


def test_a_checkpoint_that_does_not_fit_is_listed(random_model: AutoGaze, tmp_path: Path) -> None:
    random_model.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["gazing_model.connector.pos_embed"]
    tensors["gazing_model.extra"] = torch.zeros(2)
    tensors["gazing_model.vision_model.norm.bias"] = torch.zeros(5)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError) as raised:
        AutoGaze.from_pretrained(tmp_path)
    for part in (
        "missing: gazing_model.connector.pos_embed",
        "surplus: gazing_model.extra",
        "norm.bias: (5,)",
    ):
        assert part in str(raised.value)


def test_checkpoints_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no file config\.json"):
        AutoGaze.from_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="neither an existing folder nor a hub id"):
        AutoGaze.from_pretrained(tmp_path / "a" / "b" / "c")
    with pytest.raises(ValueError, match="load_in_9bit"):
        AutoGaze.from_pretrained(tmp_path, load_in_9bit=True)


@pytest.mark.parametrize(
    "change",
    [
        {"num_vision_tokens_each_frame": 200},
        {"gaze_model_config": {"gaze_decoder_config": {"num_key_value_heads": 2}}},
        {"gaze_model_config": {"gaze_decoder_config": {"rope_scaling": {"rope_type": "yarn"}}}},
        {"gaze_model_config": {"vision_model_config": {"temporal_patch_size": 2}}},
    ],
)
def test_a_config_of_another_model_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"200|num_key_value_heads|yarn|temporal_patch_size"):
        AutoGazeConfig.from_dict(change)


def test_config_keeps_what_it_does_not_know(tmp_path: Path) -> None:
    data = {"scales": "32+64+112+224", "gazing_ratio_config": {"fixed": {"gazing_ratio": 0.3}}}
    config = AutoGazeConfig.from_dict(data)
    assert config.default_request == (0.3, None)
    assert AutoGazeConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.gaze_model_config.gaze_decoder_config.num_multi_token_pred == 10


@pytest.mark.parametrize(
    ("video", "arguments", "named"),
    [
        (torch.zeros(1, 3, 224, 224), {"ratio": 0.1}, r"video: shape \(1, 3, 224, 224\)"),
        (torch.zeros(1, 0, 3, 224, 224), {"ratio": 0.1}, "video: shape"),
        (torch.zeros(0, 1, 3, 224, 224), {"ratio": 0.1}, "video: shape"),
        (torch.zeros(1, 1, 4, 224, 224), {"ratio": 0.1}, "video: shape"),
        (torch.zeros(1, 17, 3, 8, 8), {"ratio": 0.1}, "17 frames, at most 16"),
        (torch.full((1, 1, 3, 8, 8), float("nan")), {"ratio": 0.1}, "NaN"),
        (torch.zeros(1, 1, 3, 8, 8, dtype=torch.uint8), {"ratio": 0.1}, "uint8"),
        (clip(), {"ratio": 0.0}, r"gazing_ratio=0\.0"),
        (clip(), {"ratio": 1.01}, r"gazing_ratio=1\.01"),
        (clip(), {"ratio": float("nan")}, "gazing_ratio=nan"),
        (clip(), {"ratio": [0.1, 0.2]}, "2 values, expected one number or 1"),
        (clip(), {"ratio": "0.1"}, "gazing_ratio='0.1'"),
        (clip(), {"loss": float("nan")}, "task_loss_requirement=nan"),
        (clip(), {"loss": "low"}, "task_loss_requirement='low'"),
        (clip().numpy(), {"ratio": 0.1}, "video: ndarray"),
        (clip(), {"ratio": 0.1, "temperature": 0}, "temperature=0"),
        (clip(), {"ratio": 0.1, "temperature": float("nan")}, "temperature=nan"),
        (clip(), {"ratio": 0.1, "temperature": 1.0, "top_k": 10.5}, r"top_k=10\.5"),
        (clip(), {}, "at least one of them"),
    ],
)
def test_bad_input_is_named(
    random_model: AutoGaze, video: torch.Tensor, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        random_model.gaze(video, **arguments)


@pytest.mark.parametrize(
    ("scales", "patch", "side", "named"),
    [
        ([56, 112, 196], 14, 196, "target_scales"),
        ([392, 196, 112, 56], 14, 392, "target_scales"),
        ([56, 112, 196, 392], 14, 224, "video: frames of"),
        ([56, 112, 196, 392], 0, 392, "target_patch_size=0"),
        ([200, 210, 220, 224], 16, 224, "does not fit"),
    ],
)
def test_bad_grids_are_named(
    random_model: AutoGaze, scales: list[int], patch: int, side: int, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        random_model.gaze_for(clip(side=side), scales, patch, ratio=0.1)


def test_budget_is_kept_and_no_token_comes_twice(random_model: AutoGaze) -> None:
    gaze = random_model.gaze(clip(frames=2), ratio=[0.05, 1.0])
    assert gaze.per_frame == (13, 265)
    assert gaze.counts().tolist() == [[13, 265]]
    assert gaze.masks().sum().item() == 13 + 265


def test_sampling_follows_its_generator_and_differs_from_the_best(random_model: AutoGaze) -> None:
    def draw(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return random_model.gaze(clip(), ratio=0.1, temperature=1.0, generator=generator).positions

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    assert len(set(draw(1)[0].tolist())) == 26


def test_teacher_forcing_is_differentiable_and_sums_to_one(random_model: AutoGaze) -> None:
    gaze = random_model.gaze(clip(batch=2, frames=2), ratio=0.05, loss=0.0)
    forced = random_model.teacher_forced(clip(batch=2, frames=2), gaze)
    assert torch.allclose(forced.logits.softmax(-1).sum(-1), torch.ones(2, sum(gaze.per_frame)))
    forced.log_probabilities[~gaze.padded].sum().backward()  # type: ignore[no-untyped-call]
    gradient = random_model.gazing_model.vision_model.temporal_conv.weight.grad
    assert gradient is not None and gradient.abs().sum() > 0
    random_model.zero_grad()


def test_processor_equals_pillow_within_a_level(tmp_path: Path) -> None:
    from PIL import Image

    frames = np.random.default_rng(0).integers(0, 256, (2, 90, 160, 3), dtype=np.uint8)
    processor = AutoGazeImageProcessor()
    ours = processor(frames, return_tensors="pt").pixel_values[0]
    pillow = np.stack(
        [np.asarray(Image.fromarray(f).resize((224, 224), Image.Resampling.BILINEAR)) for f in frames]
    )
    theirs = ((pillow / 127.5 - 1) - 0.5) / 0.5
    assert np.abs(ours.permute(0, 2, 3, 1).numpy() - theirs).max() < 2.1 / 127.5
    unit = processor.from_unit(torch.from_numpy(pillow).permute(0, 3, 1, 2) / 255)
    assert torch.allclose(unit, torch.from_numpy(theirs).permute(0, 3, 1, 2).float(), atol=1e-5)
    processor.save_pretrained(tmp_path)
    assert torch.equal(
        AutoGazeImageProcessor.from_pretrained(tmp_path)(frames, return_tensors="pt").pixel_values[0], ours
    )


def test_processor_equals_the_published_pixels(golden_inputs: dict[str, torch.Tensor]) -> None:
    pixels = AutoGazeImageProcessor()(golden_inputs["frames_uint8"].numpy(), return_tensors="pt").pixel_values
    assert torch.equal(pixels, golden_inputs["clip"])


def test_processor_sizes() -> None:
    frames = [np.zeros((100, 200, 3), np.uint8)] * 2
    kept = AutoGazeImageProcessor(size={"shortest_edge": 50})
    assert kept(frames, return_tensors="np").pixel_values.shape == (1, 2, 3, 50, 100)
    cropped = AutoGazeImageProcessor(size={"shortest_edge": 50}, do_center_crop=True)
    assert cropped([frames, frames], return_tensors="np").pixel_values.shape == (2, 2, 3, 224, 224)


@pytest.mark.parametrize(
    "videos",
    [
        [],
        [[]],
        np.zeros((2, 4, 4, 3), np.float32),
        np.zeros((4, 4), np.uint8),
        np.zeros((0, 4, 4, 3), np.uint8),
        [np.zeros((2, 4, 4, 3), np.uint8), np.zeros((3, 4, 4, 3), np.uint8)],  # no one tensor
    ],
)
def test_processor_refuses_what_is_no_video(videos: Any) -> None:
    with pytest.raises(ValueError, match="videos"):
        AutoGazeImageProcessor()(videos, return_tensors="pt")


def test_published_helpers(tmp_path: Path) -> None:
    import av

    path = tmp_path / "ten.mp4"
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(10):
            picture = np.full((48, 64, 3), 20 * level, np.uint8)
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        sink.mux(stream.encode())
    with av.open(str(path)) as container:
        frames = read_video_pyav(container=container, indices=[1, 4, 9])
        assert frames.shape == (3, 48, 64, 3)
        assert np.allclose(frames.mean((1, 2, 3)), [20, 80, 180], atol=6)
        with pytest.raises(ValueError, match="ends before"):
            read_video_pyav(container=container, indices=[3, 10])
    pixels = transform_video_for_pytorch(frames, AutoGazeImageProcessor())
    assert pixels.shape == (3, 3, 224, 224)
    assert transform_video_for_pytorch(frames).shape == (3, 3, 48, 64)
    assert len(process_video_frames(frames, 5)) == 5


def test_the_selector_keeps_within_what_is_shown(random_model: AutoGaze, tmp_path: Path) -> None:
    random_model.save_pretrained(tmp_path)
    clips = torch.rand(3, 1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    shown = torch.arange(265) < 69
    whole = AutoGazeSelector(checkpoint=str(tmp_path)).select(clips, ratio=0.1)
    cut = AutoGazeSelector(checkpoint=str(tmp_path)).select(
        clips, ratio=0.1, valid=shown.expand(3, 265).clone()
    )
    assert torch.equal(cut.masks(), whole.masks() & shown)
