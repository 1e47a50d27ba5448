"""The decoding loop for accelerators, run on a CPU: equal to the published outputs and to the loop for CPUs.

pytest tests/autogaze/model/test_static.py
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from autogaze.model import decoders
from autogaze.model.attending import Flash
from autogaze.model.autogaze import AutoGaze
from autogaze.model.static import StaticDecoder
from autogaze.model.static_state import StaticState, Steps, Watch
from autogaze.model.streaming import Stream
from tests.autogaze.model.test_golden import ALONE, MIXED, SINGLE, assert_equal, run

Case = Callable[[str], tuple[dict[str, Any], dict[str, Tensor]]]


class Tape(TorchDispatchMode):
    """A stand-in for a CUDA graph: notes every operation with the tensors it was given, and repeats just those.

    Whatever a step takes from Python is frozen by it, and a step that asks the host for a number fails.
    """

    FORBIDDEN = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "_to_copy.device")

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = str(func)
        assert not any(word in name for word in self.FORBIDDEN), f"{name}: a graph can't wait for the host"
        out = func(*args, **(kwargs or {}))
        self.notes.append((func, args, kwargs or {}, out))
        return out

    def replay(self) -> None:
        for func, args, kwargs, out in self.notes:
            if func.is_view:
                continue
            again = func(*args, **kwargs)
            for old, new in zip(
                *(x if isinstance(x, tuple | list) else (x,) for x in (out, again)), strict=True
            ):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def record(step: Callable[[], None]) -> Callable[[], None]:
    """A CUDA graph is recorded without running; this one runs meanwhile, so its first replay is left out."""
    tape = Tape()
    with tape:
        step()
    turns = iter([lambda: None])
    return lambda: next(turns, tape.replay)()


@pytest.fixture
def static(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Models get the static loop. Its steps run as they are once, then from recordings, whose runs are counted."""
    monkeypatch.setattr(decoders, "Decoder", StaticDecoder)
    decoders._kept.clear()
    start, replays = StaticDecoder.start, []

    def counted(step: Callable[[], None]) -> Callable[[], None]:
        replay = record(step)
        return lambda: (replays.append(step), replay())[1]

    def recorded(self: StaticDecoder, batch: int, capacity: int) -> StaticState:
        state = start(self, batch, capacity)
        state.steps = Steps(lambda: counted)
        return state

    monkeypatch.setattr(StaticDecoder, "start", recorded)
    yield replays
    decoders._kept.clear()


@pytest.mark.parametrize("name", SINGLE)
def test_a_clip_alone(
    static: list[Any], golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case, name: str
) -> None:
    arguments, theirs = golden_case(name)
    video = golden_inputs["clip"][:, : len(theirs["num_gazing_each_frame"])]
    assert_equal(run(golden_model, video, arguments, False), theirs)
    assert static or name == "case_one_frame_full", "something was replayed"


LONG = {"case_ratio_0.75_loss", "alone_ratio_0.75_loss"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in [*MIXED, *ALONE]]
)
def test_batches(
    static: list[Any], golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case, name: str
) -> None:
    arguments, theirs = golden_case(name)
    assert_equal(run(golden_model, golden_inputs["three"], arguments, name.startswith("case")), theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["case_scales392", "alone_scales392"])
def test_other_encoders_grid(
    static: list[Any],
    golden_model: AutoGaze,
    golden_inputs: dict[str, Tensor],
    golden_case: Case,
    name: str,
) -> None:
    arguments, theirs = golden_case(name)
    assert_equal(run(golden_model, golden_inputs["clip392"], arguments, name.startswith("case")), theirs)


def test_streaming(
    static: list[Any], golden_model: AutoGaze, golden_inputs: dict[str, Tensor], golden_case: Case
) -> None:
    """A reserve that is too small grows under way."""
    _, theirs = golden_case("case_ratio_0.2_6frames")
    stream = Stream(golden_model, batch=1, capacity=10)
    gazes = [
        stream.gaze(golden_inputs["clip"][:, t : t + 1], ratio=0.2).positions + 265 * t for t in range(6)
    ]
    assert torch.equal(torch.cat(gazes, 1), theirs["gazing_pos"])


def test_a_finished_state_serves_the_next_clips(
    static: list[Any], golden_model: AutoGaze, golden_inputs: dict[str, Tensor]
) -> None:
    three = golden_inputs["three"][:, :3]
    first = golden_model.gaze(three, ratio=0.1)
    golden_model.gaze(three.flip(0) * 0.7, ratio=0.1)
    assert torch.equal(golden_model.gaze(three, ratio=0.1).positions, first.positions)
    loop = decoders.decoder_for(golden_model.gazing_model, golden_model.config)
    assert isinstance(loop, StaticDecoder) and len(loop._spare) == 1


def test_groups_after_everybody_has_stopped_change_nothing(
    static: list[Any],
    golden_model: AutoGaze,
    golden_inputs: dict[str, Tensor],
    golden_case: Case,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A GPU's host learns late who has stopped."""
    watches = []

    def late(alive: Tensor) -> Watch:
        watches.append(Watch(alive, lag=2))
        return watches[-1]

    monkeypatch.setattr("autogaze.model.static.Watch", late)
    for name in ("case_per_frame_ratio_loss", "alone_per_frame_ratio_loss"):
        arguments, theirs = golden_case(name)
        assert_equal(run(golden_model, golden_inputs["three"], arguments, name.startswith("case")), theirs)
    assert watches


@pytest.mark.parametrize("top_k", [None, 50])
def test_it_draws_what_the_loop_for_cpus_draws(
    random_model: AutoGaze, monkeypatch: pytest.MonkeyPatch, top_k: int | None
) -> None:
    video = torch.randn(2, 2, 3, 224, 224, generator=torch.manual_seed(0))

    def gaze() -> Tensor:
        decoders._kept.clear()
        draw = torch.Generator().manual_seed(3)
        return random_model.gaze(video, ratio=0.1, temperature=0.8, generator=draw, top_k=top_k).positions

    expected = gaze()
    monkeypatch.setattr(decoders, "Decoder", StaticDecoder)
    assert torch.equal(gaze(), expected)
    decoders._kept.clear()


def standing_in_for_flash(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cum_seq_q: Tensor,
    cum_seq_k: Tensor,
    max_q: int,
    max_k: int,
    dropout_p: float,
    is_causal: bool,
    return_debug_mask: bool,
    *,
    scale: float,
    seqused_k: Tensor,
) -> tuple[Tensor, ...]:
    """The operator as flash attention documents it, sequence by sequence: causal from the last key in use on."""
    assert is_causal and not dropout_p and not return_debug_mask
    assert all(x.dtype == torch.int32 for x in (cum_seq_q, cum_seq_k, seqused_k))
    out = torch.empty_like(query)
    for b, seen in enumerate(seqused_k.tolist()):
        rows = slice(int(cum_seq_q[b]), int(cum_seq_q[b + 1]))
        start = int(cum_seq_k[b])
        count = rows.stop - rows.start
        assert count <= max_q and seen <= max_k and start + seen <= int(cum_seq_k[b + 1])
        reach = torch.arange(seen) <= torch.arange(seen - count, seen)[:, None]
        q, k, v = (
            x.transpose(0, 1) for x in (query[rows], key[start : start + seen], value[start : start + seen])
        )
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=reach, scale=scale)
        out[rows] = y.transpose(0, 1)
    return (out,)


def test_torchs_operator_takes_what_flash_gives() -> None:
    """Names, order and shapes as torch itself checks them, on tensors without storage; nothing is computed."""
    with torch.device("meta"):
        q, keys = torch.empty(2, 10, 6, 32).half(), torch.empty(2, 512, 6, 32).half()
        plan = Flash().plan(torch.zeros(2, dtype=torch.long), 10, 512, 512)
        assert Flash().attend(q, keys, keys, plan).shape == q.shape


def test_flash_attention_by_lengths_chooses_the_same(
    golden_model: AutoGaze,
    golden_inputs: dict[str, Tensor],
    golden_case: Case,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In float32, which the real kernel does not take, so that equal means equal."""
    monkeypatch.setattr(
        "autogaze.model.static.attention_for", lambda device, dtype: Flash(standing_in_for_flash)
    )
    monkeypatch.setattr(decoders, "Decoder", StaticDecoder)
    decoders._kept.clear()
    arguments, theirs = golden_case("alone_per_frame_ratio_loss")
    assert_equal(run(golden_model, golden_inputs["three"], arguments, False), theirs)
    decoders._kept.clear()


def test_forgotten_recordings_take_their_recorder_along() -> None:
    """CUDA takes back a pool that no recording uses, and fails when one is recorded into it (seen on an H200)."""
    pools: list[int] = []

    def recorder() -> Callable[[Callable[[], None]], Callable[[], None]]:
        pools.append(len(pools))
        pool = pools[-1]
        return lambda step: lambda: used.append(pool)

    used: list[int] = []
    steps = Steps(recorder)
    for _ in range(2):
        for _ in range(3):
            steps.run("group", lambda: None)
        steps.forget()
    assert used == [0, 0, 1, 1]
