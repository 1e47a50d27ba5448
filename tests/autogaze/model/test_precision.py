"""Half precision, autocast, and decoders that are kept between calls.

pytest tests/autogaze/model/test_precision.py
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from autogaze.model import static_state
from autogaze.model.autogaze import AutoGaze
from autogaze.model.decoders import decoder_for
from autogaze.model.network import resized
from autogaze.model.static import StaticDecoder
from autogaze.model.static_state import bytes_of_clip


@pytest.fixture
def clip(golden_inputs: dict[str, Tensor]) -> Tensor:
    return golden_inputs["clip"][:, :2]


def in_autocast(model: AutoGaze, clip: Tensor) -> Any:
    with torch.autocast("cpu", torch.bfloat16):
        return model.gaze(clip, ratio=0.1)


def test_autocast_and_compute_dtype_are_one_model(golden: Path, golden_model: AutoGaze, clip: Tensor) -> None:
    """As the published call with flash attention, under whichever name it is asked for."""
    exact = golden_model.gaze(clip, ratio=0.1).positions
    rough = in_autocast(golden_model, clip).positions
    assert 0.3 < (rough == exact).float().mean() < 1
    for how in ({"compute_dtype": torch.bfloat16}, {"use_flash_attn": True}):
        model = AutoGaze.from_pretrained(golden, **how)
        assert torch.equal(model.gaze(clip, ratio=0.1).positions, rough)
        assert model.dtype == torch.float32
    pair = torch.cat([clip, clip.flip(-1)])
    assert torch.equal(in_autocast(golden_model, pair).positions[:1], rough), "on a thread as here"


def test_both_loops_compute_in_the_precision_asked_for(golden_model: AutoGaze) -> None:
    features = torch.randn(2, 196, 192, generator=torch.manual_seed(1))
    network, config = golden_model.gazing_model, golden_model.config
    static = StaticDecoder(network, config, torch.bfloat16)
    loop = decoder_for(network, config, torch.bfloat16)
    seen = []
    for decoder in (static, loop):
        state = decoder.start(2, 300)
        hidden: list[Tensor] = []
        foretell = decoder.weights.foretell  # type: ignore[attr-defined]
        decoder.weights.foretell = lambda h, f=foretell, into=hidden: (into.append(h), f(h))[1]  # type: ignore
        decoder.frame(state, features, static_state.Request(10))
        del decoder.weights.foretell  # type: ignore[attr-defined]
        assert hidden[0].dtype == torch.float32
        seen.append(hidden[0])
    assert static.start(1, 10).keys.dtype == torch.bfloat16
    assert 0 < (seen[0] - seen[1]).abs().mean() < 0.05, "another order of sums, the same precision"


def test_half_precision_through_the_published_call(golden: Path, clip: Tensor) -> None:
    model = AutoGaze.from_pretrained(golden, dtype=torch.bfloat16)
    output = model({"video": clip}, gazing_ratio=0.1)
    assert torch.isfinite(output["log_action_probs"]).all()
    assert output["task_loss_prediction"].shape == output["gazing_pos"].shape


def test_under_autocast_through_the_published_call(golden_model: AutoGaze, clip: Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        output = golden_model({"video": clip}, gazing_ratio=0.1)
    assert torch.isfinite(output["log_action_probs"]).all()


def test_a_decoder_is_kept_until_a_weight_changes(golden_model: AutoGaze) -> None:
    model = copy.deepcopy(golden_model)
    network = model.gazing_model
    first = decoder_for(network, model.config)
    assert decoder_for(network, model.config) is first
    with torch.no_grad():
        network.gaze_decoder.lm_head.weight.mul_(2)
    second = decoder_for(network, model.config)
    assert second is not first
    model.load_state_dict(golden_model.state_dict())
    third = decoder_for(network, model.config)
    assert third is not second
    model.to(torch.bfloat16)
    assert decoder_for(network, model.config).dtype == torch.bfloat16


def test_memory_sets_the_batch(golden_model: AutoGaze) -> None:
    config, gib = golden_model.config, 1 << 30
    tokens = 16 * (196 + 198)
    each = bytes_of_clip(config, 16, tokens, torch.float32)
    assert 256 <= 40 * gib // each <= 1024, "half an H100 takes 256 tiles at a ratio of 0.75"
    assert each / 2 < bytes_of_clip(config, 16, tokens, torch.bfloat16) < each


def test_tensors_of_inference_mode_are_no_hindrance(
    golden: Path, golden_model: AutoGaze, clip: Tensor
) -> None:
    """Pixels or weights made in it, and the published call outside."""
    expected = golden_model({"video": clip}, gazing_ratio=0.1)["log_action_probs"]
    with torch.inference_mode():
        seen, model = clip.clone(), AutoGaze.from_pretrained(golden)
    for network, video in ((golden_model, seen), (model, clip), (model, seen)):
        assert torch.equal(network({"video": video}, gazing_ratio=0.1)["log_action_probs"], expected)


def test_frames_of_any_size_through_the_published_call(golden_model: AutoGaze) -> None:
    """What was gazed at is what the probabilities are of."""
    video = torch.rand(1, 2, 3, 100, 57, generator=torch.manual_seed(0)) * 4 - 3
    output = golden_model({"video": video}, gazing_ratio=0.1)
    assert torch.isfinite(output["log_action_probs"]).all()
    whole = golden_model({"video": resized(video, 224)}, gazing_ratio=0.1)
    assert torch.equal(output["gazing_pos"], whole["gazing_pos"])
    assert torch.equal(output["log_action_probs"], whole["log_action_probs"])
    with pytest.raises(ValueError, match="expected both or neither"):
        golden_model({"video": video}, target_scales=(56, 112, 196, 392), gazing_ratio=0.1)
