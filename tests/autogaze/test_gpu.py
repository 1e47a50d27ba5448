"""What only a GPU can show; `benchmarks/gpu.sh` runs it first. On a CPU the same tests rehearse:

HLVID_TEST_DEVICE=cpu pytest -m gpu tests/autogaze/test_gpu.py
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from autogaze.encoders.siglip import GazedSiglip
from autogaze.gaze import Gaze
from autogaze.model import decoders
from autogaze.model.autogaze import AutoGaze
from autogaze.model.static import StaticDecoder
from autogaze.model.streaming import Stream
from autogaze.nvila.answering import Answerer, make_checkpoint, published_selector
from autogaze.nvila.config import VIDEO_TOKEN
from autogaze.reconstruction.videomae import VideoMAE
from tests.autogaze.encoders.conftest import golden_checkpoint, golden_video  # noqa: F401
from tests.autogaze.model.test_golden import ALONE, MIXED, SINGLE, assert_equal, run
from tests.autogaze.nvila.conftest import Drawn

pytestmark = pytest.mark.gpu
Case = Callable[[str], tuple[dict[str, Any], dict[str, Tensor]]]


@pytest.fixture(scope="session")
def device() -> str:
    """Where these tests run: a GPU, unless HLVID_TEST_DEVICE names another place."""
    name = os.environ.get("HLVID_TEST_DEVICE", "cuda")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device; HLVID_TEST_DEVICE=cpu rehearses")
    return name


@pytest.fixture
def model(golden: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> AutoGaze:
    """The golden weights and the static loop, on a CPU too."""
    monkeypatch.setattr(decoders, "Decoder", StaticDecoder)
    return AutoGaze.from_pretrained(golden, device_map=device)


def on_cpu(output: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.cpu()
        if isinstance(value, Tensor)
        else [part.cpu() for part in value]
        if name == "gazing_mask"
        else value
        for name, value in output.items()
    }


@pytest.mark.parametrize("kernel", [False, True])
@pytest.mark.parametrize("name", [*SINGLE, *MIXED, *ALONE])
def test_golden_to_the_token_in_float32(
    model: AutoGaze,
    golden_inputs: dict[str, Tensor],
    golden_case: Case,
    device: str,
    name: str,
    kernel: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kernel and device == "cpu":
        pytest.skip(
            "Triton's interpreter takes minutes: tests/autogaze/model/test_choosing.py has the kernel"
        )
    if device != "cpu":
        monkeypatch.setattr("autogaze.model.attending_kernel.ROWS", 16 if kernel else 0)
    arguments, theirs = golden_case(name)
    batch = name in MIXED or name in ALONE
    video = golden_inputs["three" if batch else "clip"][:, : len(theirs["num_gazing_each_frame"])]
    published = batch and name.startswith("case")
    assert_equal(on_cpu(run(model, video.to(device), arguments, published)), theirs)


def test_bfloat16_products_mostly_choose_the_same(
    model: AutoGaze,
    golden_inputs: dict[str, Tensor],
    device: str,
    record_property: Callable[[str, object], None],
) -> None:
    """A run far off would mean another model, not another rounding; on a CPU 59 % of slots, first groups nearly all."""
    clip = golden_inputs["clip"].to(device)
    exact = model.gaze(clip, ratio=0.1).positions
    model.compute_dtype = torch.bfloat16
    rough = model.gaze(clip, ratio=0.1).positions
    record_property("equal", float((rough == exact).float().mean()))
    assert (rough == exact)[:, :10].float().mean() >= 0.5


def test_autocast_is_compute_dtype(model: AutoGaze, golden_inputs: dict[str, Tensor], device: str) -> None:
    clip = golden_inputs["clip"][:, :2].to(device)
    with torch.autocast(device, torch.bfloat16):
        inside = model.gaze(clip, ratio=0.1).positions
    model.compute_dtype = torch.bfloat16
    assert torch.equal(model.gaze(clip, ratio=0.1).positions, inside)


def test_streaming(model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case, device: str) -> None:
    _, theirs = golden_case("case_ratio_0.2_6frames")
    stream = Stream(model, batch=1, capacity=10)
    frames = golden_inputs["clip"].to(device).split(1, 1)[:6]
    gazes = [stream.gaze(frame, ratio=0.2).positions.cpu() + 265 * t for t, frame in enumerate(frames)]
    assert torch.equal(torch.cat(gazes, 1), theirs["gazing_pos"])


def test_a_clip_is_gazed_alike_in_any_company(
    model: AutoGaze,
    golden_inputs: dict[str, Tensor],
    device: str,
    record_property: Callable[[str, object], None],
) -> None:
    """cuBLAS takes other kernels for other batches, so near ties may fall the other way: nearly all."""
    three = golden_inputs["three"][:, :4].to(device)
    together = model.gaze(three, ratio=0.15).positions
    alone = torch.cat([model.gaze(clip[None], ratio=0.15).positions for clip in three])
    share = float((together == alone).float().mean())
    record_property("equal", share)
    assert share >= 0.99


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("mode", ["block_causal", "frame_independent"])
def test_gazed_siglip(
    shared: Path,
    golden_checkpoint: Callable[[str], Path],  # noqa: F811
    golden_video: dict[str, Tensor],  # noqa: F811
    device: str,
    mode: str,
    dtype: torch.dtype,
) -> None:
    """Float32 against the published features; bfloat16 (one FlexAttention kernel on a GPU) within its rounding."""
    case = load_file(shared / f"golden/siglip/p16_224.{mode}.safetensors")
    model = GazedSiglip.from_pretrained(
        golden_checkpoint("p16_224"), scales=(32, 64, 112, 224), attn_type=mode
    )
    gaze = Gaze.from_published(case, (32, 64, 112, 224), 16).to(device)
    model = model.to(device, dtype).requires_grad_(False)
    out = model(golden_video["p16_224"].to(device, dtype), gaze).float().cpu()
    real = ~case["if_padded_gazing"].bool()
    off = (out[real] - case["last_hidden_state"][real]).abs()
    assert off.max() < 1e-3 if dtype == torch.float32 else off.mean() < 0.05


def test_videomae(shared: Path, golden_inputs: dict[str, Tensor], device: str) -> None:
    case = load_file(shared / "golden/videomae/case_ratio_0.10.safetensors")
    gaze = Gaze.from_published(load_file(shared / "golden/autogaze/case_ratio_0.10.safetensors")).to(device)
    model = VideoMAE.from_pretrained(shared / "golden/videomae").to(device).requires_grad_(False)
    video = golden_inputs["three"][: gaze.batch].to(device)
    pictures = model(video, gaze, case["frame_idx_to_reconstruct"].tolist()).cpu()
    torch.testing.assert_close(pictures, case["reconstruction"].float(), atol=2e-3, rtol=2**-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_gazed_answer_of_a_language_model(device: str, tmp_path: Path, dtype: torch.dtype) -> None:
    """Decoded frames, gaze, encoder, prefill and generation, one after the other on the device."""
    checkpoint = make_checkpoint(tmp_path / "tiny")
    answerer = Answerer.from_pretrained(checkpoint, dtype=dtype, device=device)
    selector = published_selector(checkpoint, answerer.model.config, device)
    look = replace(answerer, selector=selector).look(Drawn(1280, 720, noise=True))
    assert 0 < look.seen.gazed < look.seen.patches
    reply = answerer.ask(look, f"{VIDEO_TOKEN}\nWhat does the sign say?", max_new_tokens=4)
    assert look.seen.gazed < reply.tokens * 9 and {"prefill", "generation"} <= set(reply.seconds)
