"""What the published package's QUICK_START calls, in its order, on local checkpoints of the same format.

Basic use, an encoder behind it, another encoder's grid, chunks of a larger video, streaming: a user's script for the
published package has to run here by changing nothing. The weights are random; where the golden ones are at hand
`test_golden.py` holds the values.

Run: pytest tests/autogaze/test_quick_start.py
"""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from einops import rearrange
from torch import Tensor

from autogaze.datasets.video_utils import read_video_pyav, transform_video_for_pytorch
from autogaze.models.autogaze import AutoGaze, AutoGazeConfig, AutoGazeImageProcessor
from autogaze.vision_encoders.siglip import SiglipVisionModel

TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders named like the hub's repositories: AutoGaze, and two tiny SigLIPs with their processors."""
    from transformers import SiglipImageProcessor, SiglipVisionConfig
    from transformers import SiglipVisionModel as PlainSiglip

    folder = tmp_path_factory.mktemp("hub")
    torch.manual_seed(0)
    AutoGaze(AutoGazeConfig()).save_pretrained(folder / "AutoGaze")
    AutoGazeImageProcessor(size={"height": 224, "width": 224}).save_pretrained(folder / "AutoGaze")
    for name, side, patch in (("siglip-224", 224, 16), ("siglip-384", 384, 14)):
        PlainSiglip(SiglipVisionConfig(**TINY, image_size=side, patch_size=patch)).save_pretrained(
            folder / name
        )
        SiglipImageProcessor(size={"height": side, "width": side}).save_pretrained(folder / name)
    return folder


@pytest.fixture(scope="module")
def model(hub: Path) -> AutoGaze:
    return AutoGaze.from_pretrained(str(hub / "AutoGaze"))


@pytest.fixture(scope="module")
def raw_video(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The first 16 frames of a film of 20, decoded as the guide does."""
    path = tmp_path_factory.mktemp("film") / "example_input.mp4"
    ground = np.random.default_rng(0).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for t in range(20):
            picture = np.roll(ground.repeat(20, 0).repeat(20, 1), 8 * t, axis=1)
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        sink.mux(stream.encode())
    container = av.open(str(path))
    frames = read_video_pyav(container=container, indices=list(range(16)))
    container.close()
    return frames


@pytest.fixture(scope="module")
def video(hub: Path, raw_video: Any) -> Tensor:
    transform = AutoGazeImageProcessor.from_pretrained(str(hub / "AutoGaze"))
    return transform_video_for_pytorch(raw_video, transform)[None]


def encoder(hub: Path, name: str, raw_video: Any, scales: Any) -> tuple[SiglipVisionModel, Tensor]:
    """A SigLIP and the film as its own processor makes it."""
    from transformers import AutoImageProcessor

    tower = SiglipVisionModel.from_pretrained(str(hub / name), scales=scales, attn_implementation="sdpa")
    pixels = transform_video_for_pytorch(raw_video, AutoImageProcessor.from_pretrained(str(hub / name)))
    return tower, pixels[None]


def test_basic_use_and_an_encoder(hub: Path, model: AutoGaze, raw_video: Any, video: Tensor) -> None:
    assert model.config.max_num_frames == 16 and video.shape == (1, 16, 3, 224, 224)
    with torch.inference_mode():
        out = model({"video": video}, gazing_ratio=0.1, task_loss_requirement=0.7)
    slots = out["gazing_pos"].shape[1]
    assert out["if_padded_gazing"].shape == (1, slots) and out["if_padded_gazing"].dtype == torch.bool
    assert sum(out["num_gazing_each_frame"]) == slots and len(out["num_gazing_each_frame"]) == 16
    assert int(out["gazing_pos"][~out["if_padded_gazing"]].max()) < 16 * model.num_vision_tokens_each_frame

    siglip, pixels = encoder(hub, "siglip-224", raw_video, model.config.scales)
    with torch.inference_mode():
        features = siglip(pixels, gazing_info=out).last_hidden_state
    assert features.shape == (1, slots, 32)
    kept = [f[~padded] for f, padded in zip(features, out["if_padded_gazing"], strict=True)]
    assert len(kept[0]) == int((~out["if_padded_gazing"]).sum()) and torch.isfinite(kept[0]).all()


def test_another_encoders_grid(hub: Path, model: AutoGaze, raw_video: Any) -> None:
    transform = AutoGazeImageProcessor.from_pretrained(str(hub / "AutoGaze"), size=(392, 392))
    video = transform_video_for_pytorch(raw_video[:2], transform)[None]
    assert video.shape == (1, 2, 3, 392, 392)
    with torch.inference_mode():
        out = model(
            {"video": video}, gazing_ratio=0.1, task_loss_requirement=0.7,
            target_scales=[56, 112, 196, 392], target_patch_size=14,
        )  # fmt: skip
    siglip, _ = encoder(hub, "siglip-384", raw_video[:1], "56+112+196+392")
    with torch.inference_mode():
        features = siglip(video, gazing_info=out).last_hidden_state
    assert features.shape == (1, out["gazing_pos"].shape[1], 32)
    tokens = sum((scale // 14) ** 2 for scale in (56, 112, 196, 392))
    assert int(out["gazing_pos"].max()) < 2 * tokens


def test_chunks_of_a_larger_video(hub: Path, model: AutoGaze, raw_video: Any) -> None:
    torch.manual_seed(0)
    dummy = torch.randn(1, 4, 3, 448, 448)
    chunks = rearrange(dummy, "B (nt t) C (nh h) (nw w) -> (B nt nh nw) t C h w", t=2, h=224, w=224)
    with torch.inference_mode():
        out = model({"video": chunks}, gazing_ratio=0.05, task_loss_requirement=0.7)
    siglip, _ = encoder(hub, "siglip-224", raw_video[:1], "32+64+112+224")
    with torch.inference_mode():
        features = siglip(chunks, gazing_info=out).last_hidden_state
    assert features.shape == (8, out["gazing_pos"].shape[1], 32)


def test_streaming_equals_the_whole_clip(model: AutoGaze, video: Tensor) -> None:
    with torch.inference_mode():
        whole = model({"video": video[:, :4]}, gazing_ratio=0.1)["gazing_pos"]
    past: dict[str, Any] = dict.fromkeys(
        ("past_key_values", "past_inputs_embeds", "past_attention_mask", "past_conv_values")
    )
    positions = []
    for t in range(4):
        with torch.inference_mode():
            out = model(
                {"video": video[:, t : t + 1]}, gazing_ratio=0.1, generate_only=True, use_cache=True, **past
            )
        positions.append(out["gazing_pos"] + model.num_vision_tokens_each_frame * t)
        past = {
            "past_key_values": out["past_key_values"],
            "past_inputs_embeds": out["past_input_embeds"],
            "past_attention_mask": out["past_attention_mask"],
            "past_conv_values": out["past_conv_values"],
        }
    assert torch.equal(whole, torch.cat(positions, dim=1))
