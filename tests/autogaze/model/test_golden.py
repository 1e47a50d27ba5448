"""AutoGaze against the published implementation's own outputs: equal to the token.

pytest tests/autogaze/model/test_golden.py
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from autogaze.model.autogaze import AutoGaze
from autogaze.model.fused import COLUMNS, ROWS, Fused
from autogaze.model.streaming import Stream
from autogaze.parallel import threads

Case = Callable[[str], tuple[dict[str, Any], dict[str, Tensor]]]

SINGLE = [
    "case_loss_only",
    "case_one_frame_full",
    "case_ratio_0.10",
    "case_ratio_0.2_6frames",
    "case_ratio_1",
]
MIXED = ["case_per_frame_ratio_loss", "case_ratio_0.055", "case_ratio_0.75_loss"]
ALONE = ["alone_per_frame_ratio_loss", "alone_ratio_0.75_loss"]


def run(model: AutoGaze, video: Tensor, arguments: dict[str, Any], published: bool) -> dict[str, Any]:
    model.published_batching = published
    try:
        return model({"video": video}, generate_only=True, **arguments)
    finally:
        model.published_batching = False


def assert_equal(ours: dict[str, Any], theirs: dict[str, Tensor]) -> None:
    """Same slots, same padding, same tokens where there is no padding, same masks."""
    padded = theirs["if_padded_gazing"].bool()
    assert ours["num_gazing_each_frame"].tolist() == theirs["num_gazing_each_frame"].tolist()
    assert torch.equal(ours["if_padded_gazing"], padded)
    assert torch.equal(ours["gazing_pos"][~padded], theirs["gazing_pos"][~padded])
    for scale, mask in enumerate(ours["gazing_mask"]):
        assert torch.equal(mask.to(torch.uint8), theirs[f"gazing_mask.{scale}"])


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("name", SINGLE)
def test_a_clip_alone_is_the_same_in_both_modes(
    golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case, name: str, published: bool
) -> None:
    arguments, theirs = golden_case(name)
    video = golden_inputs["clip"][:, : len(theirs["num_gazing_each_frame"])]
    assert_equal(run(golden_model, video, arguments, published), theirs)


@pytest.mark.parametrize("name", [*MIXED, *ALONE])
def test_batches(
    golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case, name: str
) -> None:
    arguments, theirs = golden_case(name)
    assert_equal(run(golden_model, golden_inputs["three"], arguments, name.startswith("case")), theirs)


@pytest.mark.parametrize("name", ["case_scales392", "alone_scales392"])
def test_other_encoders_grid(
    golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case, name: str
) -> None:
    arguments, theirs = golden_case(name)
    assert_equal(run(golden_model, golden_inputs["clip392"], arguments, name.startswith("case")), theirs)


def test_streaming_through_the_published_call(
    golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case
) -> None:
    _, theirs = golden_case("case_streaming_ratio_0.2")
    past: dict[str, Any] = {}
    for t in range(6):
        frame = golden_inputs["clip"][:, t : t + 1]
        output = golden_model({"video": frame}, gazing_ratio=0.2, generate_only=True, use_cache=True, **past)
        past = {
            "past_key_values": output["past_key_values"],
            "past_inputs_embeds": output["past_input_embeds"],
            "past_attention_mask": output["past_attention_mask"],
            "past_conv_values": output["past_conv_values"],
        }
        assert torch.equal(output["gazing_pos"], theirs[f"frame{t}"])


def test_a_stream_outgrows_its_reserve(
    golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case
) -> None:
    _, theirs = golden_case("case_ratio_0.2_6frames")
    stream = Stream(golden_model, batch=1, capacity=10)
    gazes = [
        stream.gaze(golden_inputs["clip"][:, t : t + 1], ratio=0.2).positions + 265 * t for t in range(6)
    ]
    assert torch.equal(torch.cat(gazes, 1), theirs["gazing_pos"])


def test_teacher_forcing(golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case) -> None:
    _, theirs = golden_case("teacher_forced")
    output = golden_model({"video": golden_inputs["clip"]}, gazing_info=theirs)
    probabilities = output["log_action_probs"].exp()
    assert torch.allclose(probabilities, theirs["gaze_probs"], rtol=0, atol=1e-4)
    assert torch.allclose(output["task_loss_prediction"], theirs["task_loss_prediction"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("block", [1 << 20, 1 << 16])
def test_a_clip_is_bitwise_the_same_in_any_company(
    golden_model: AutoGaze, golden_inputs: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Not only the tokens: the numbers they are chosen by, since equal tokens may be luck.

    To the bit where this machine's BLAS rounds a row alike in products of one and of more whole tiles, as those of
    Intel's AVX2 and AVX-512 do; elsewhere nearly, as on AMD's.

    On two threads three clips are gazed as two and one, each share on a thread of its own, and a clip alone on
    both. The two clips attend together; the others in blocks, if small ones.
    """
    monkeypatch.setattr("autogaze.model.kvcache.BLOCK", block)
    seen: dict[int, list[Tensor]] = {}
    foretell = Fused.foretell

    def spy(self: Fused, hidden: Tensor) -> tuple[Tensor, Tensor]:
        seen.setdefault(threading.get_ident(), []).append(hidden.clone())
        return foretell(self, hidden)

    def hiddens(video: Tensor) -> Tensor:
        """(steps, clips, channels), the larger share's clips first."""
        seen.clear()
        golden_model.gaze(video, ratio=0.15)
        shares = sorted((torch.stack(steps) for steps in seen.values()), key=lambda x: -x.shape[1])
        return torch.cat(shares, 1)

    monkeypatch.setattr(Fused, "foretell", spy)
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    three = golden_inputs["three"][:, :3]
    with threads(2):
        together = hiddens(three)
        assert len(seen) == 2, "two shares"
        exact = tiles_round_alike()
        for clip in range(3):
            alone = hiddens(three[clip : clip + 1])[:, 0]
            assert (
                torch.equal(alone, together[:, clip])
                if exact
                else torch.allclose(alone, together[:, clip], atol=1e-4)
            )


def tiles_round_alike() -> bool:
    """Whether this BLAS computes a row of whole tiles the same whatever the number of rows and of threads."""
    x, alike = torch.randn(51 * ROWS, 384, generator=torch.manual_seed(0)), True
    for size_in, size_out in [(192, 576), (192, 384), (192, 192), (192, 768), (384, 192), (192, 7 * COLUMNS)]:
        weight = torch.randn(size_in, size_out, generator=torch.manual_seed(1))
        products = []
        for count in (1, 2):
            with threads(count):
                products += [x[: n * ROWS, :size_in].contiguous() @ weight for n in (1, 2, 18, 51)]
        alike &= all(torch.equal(part, products[3][: len(part)]) for part in products)
    return alike and one_row_rounds_alike()


def one_row_rounds_alike() -> bool:
    """Whether one row times each clip's keys is the same beside another clip's: with an odd number of keys the second
    clip's scores begin at another alignment, which MKL heeds on AMD's processors."""
    q, keys = torch.randn(12, 1, 32), torch.randn(12, 32, 256)
    pairs = [(torch.bmm(q, keys[..., :n])[6:], torch.bmm(q[6:], keys[6:, :, :n])) for n in range(197, 217)]
    return all(torch.equal(both, alone) for both, alone in pairs)


@pytest.mark.network
def test_the_real_weights_load_and_gaze(golden_inputs: dict[str, Tensor]) -> None:
    model = AutoGaze.from_pretrained("nvidia/AutoGaze")
    assert sum(p.numel() for p in model.parameters()) == 3_258_240
    gaze = model.gaze(golden_inputs["clip"], ratio=0.75, loss=0.7)
    assert 0.005 < gaze.ratio() < 0.75, "natural video needs some patches, and fewer than the cap"
