"""Nothing is left on the wrong device: all of the way, on a device that is not there (`elsewhere`).

pytest tests/autogaze/test_elsewhere.py
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from autogaze.encoders.siglip import GazedSiglip
from autogaze.gaze import Gaze
from autogaze.model.autogaze import AutoGaze
from autogaze.model.streaming import Stream
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.model import NVILAHD
from autogaze.nvila.presets import TINY_AUTOGAZE
from autogaze.nvila.processing import plan_video, stream
from autogaze.selectors.autogaze import AutoGazeSelector
from autogaze.tiling import Tiling
from autogaze.training.config import TrainConfig
from autogaze.training.grpo import GrpoStage
from autogaze.training.ntp import NtpStage
from tests.autogaze.elsewhere import NAME, Elsewhere
from tests.autogaze.encoders.conftest import gaze, masks, tiny  # noqa: F401
from tests.autogaze.nvila.conftest import Drawn, config, model, small_selector_folder  # noqa: F401
from tests.autogaze.training.test_ntp import noise_clip

VIDEO = torch.rand(2, 2, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 4 - 3


@pytest.fixture(autouse=True)
def _elsewhere() -> Iterator[None]:
    with torch.no_grad(), Elsewhere():
        yield


def there(module: Any) -> Any:
    return copy.deepcopy(module).requires_grad_(False).to(NAME)


@pytest.fixture(scope="module")
def narrow() -> AutoGaze:
    torch.manual_seed(0)
    return AutoGaze(TINY_AUTOGAZE).eval().requires_grad_(False)


def on_device(output: Any) -> bool:
    tensors = [value for value in output.values() if isinstance(value, Tensor)]
    return all(x.device.type == NAME for x in (*tensors, *output["gazing_mask"]))


def test_it_refuses_what_a_gpu_refuses() -> None:
    x = torch.ones(3)
    with pytest.raises(RuntimeError, match="on meta and on cpu"):
        x.to(NAME) + x
    with pytest.raises(RuntimeError, match="on meta and on cpu"):
        x[torch.arange(2).to(NAME)]
    with pytest.raises(TypeError, match="numpy"):
        x.to(NAME).numpy()
    assert (x.to(NAME)[torch.arange(2)] + torch.tensor(1.0)).cpu().tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "request_",
    [{"ratio": 0.1}, {"ratio": 0.2, "loss": 0.0}, {"ratio": 0.1, "temperature": 1.0, "top_k": 50}],
)
@pytest.mark.parametrize("moved", [True, False])
def test_autogaze(narrow: AutoGaze, request_: dict[str, Any], moved: bool) -> None:
    found = there(narrow).gaze(VIDEO.to(NAME) if moved else VIDEO, **request_)
    assert found.positions.device.type == found.padded.device.type == NAME
    if "temperature" not in request_:
        assert torch.equal(found.masks().cpu(), narrow.gaze(VIDEO, **request_).masks())


def test_the_published_call(narrow: AutoGaze) -> None:
    moved = there(narrow)
    output = moved({"video": VIDEO}, gazing_ratio=0.1, task_loss_requirement=0.0)
    assert on_device(output) and output["task_loss_requirement"].device.type == NAME
    assert on_device(moved({"video": VIDEO}, gazing_info=output))
    frames = torch.rand(1, 1, 3, 392, 392)
    assert on_device(moved({"video": frames}, (56, 112, 196, 392), 14, gazing_ratio=0.1))
    moved.published_batching = True
    assert on_device(moved({"video": VIDEO}, gazing_ratio=0.1, generate_only=True, use_cache=True))


def test_a_stream(narrow: AutoGaze) -> None:
    under_way = Stream(there(narrow), batch=2, capacity=10)
    gazes = [under_way.gaze(frame, ratio=0.1) for frame in VIDEO.split(1, 1)]
    assert all(found.positions.device.type == NAME for found in gazes)


def test_boxes_of_a_tiled_picture() -> None:
    tiling = Tiling.of(300, 400)
    boxes = Gaze.from_masks(torch.ones(4, 1, 265, dtype=torch.bool, device=NAME)).boxes(tiling.boxes())
    assert boxes.xyxy.device.type == NAME and round(float(boxes.xyxy.max())) == 448


@pytest.mark.parametrize("mode", ["block_causal", "frame_independent", "causal", "bidirectional"])
def test_gazed_siglip(tiny: Callable[..., GazedSiglip], gaze: Gaze, mode: str) -> None:  # noqa: F811
    encoder = tiny(attn_type=mode)
    video = torch.randn(3, 4, 3, 64, 64)
    found = there(encoder)(video.to(NAME), gaze.to(NAME))
    assert found.device.type == NAME
    torch.testing.assert_close(found.cpu(), encoder(video, gaze), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("grid", ["aligned", "released"])
@pytest.mark.parametrize("selected", [True, False])
def test_a_language_models_view_of_a_video(
    config: NVILAConfig,  # noqa: F811
    model: NVILAHD,  # noqa: F811
    small_selector_folder: str,  # noqa: F811
    grid: str,
    selected: bool,
) -> None:
    """The released grid is resized in whole grey levels, which no GPU does."""
    selector = AutoGazeSelector(small_selector_folder)
    selector.model.requires_grad_(False).to(NAME)
    drawn = Drawn(112, 56, frame_count=16)
    settings = replace(config.video, num_video_frames=16, num_video_frames_thumbnail=1, gaze_grid=grid)
    plan = plan_video(drawn.width, drawn.height, drawn.frame_count, settings, config.tile)
    seen = there(model).see(stream(drawn, plan, config, settings, selector if selected else None, NAME))
    assert seen.embeddings.device.type == NAME and seen.gazed > 0


@pytest.mark.parametrize(
    "stage",
    [
        {"stage": "ntp"},
        {"stage": "ntp", "ntp": {"gain": True}},
        {"stage": "grpo", "grpo": {"group": 3, "ratios": [0.02, 0.1]}},
        {"stage": "grpo", "grpo": {"group": 3, "counts": "schedule", "ratios": [0.02, 0.1]}},
    ],
)
def test_training_says_the_same_of_a_batch(narrow: AutoGaze, stage: dict[str, Any]) -> None:
    """Its gradients aside, which torch makes where the tensors are."""
    clips, found = [noise_clip(1, (12, 2)), noise_clip(2, (2, 3))], []
    for device in ("cpu", NAME):
        given = {"labels": "x", "out": "x", "steps": 1, "batch": 2, "frames": [2], "device": device, **stage}
        learn = {"ntp": NtpStage, "grpo": GrpoStage}[stage["stage"]](clips, TrainConfig.model_validate(given))
        network = copy.deepcopy(narrow.gazing_model).requires_grad_(False).to(device)
        loss, _ = learn(network, narrow.config, 0, np.random.default_rng(0))
        assert loss.device.type == device
        found.append(float(loss))
    assert found[0] == pytest.approx(found[1], abs=1e-3)
