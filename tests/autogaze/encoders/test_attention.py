"""Blocks must amount to one attention under the mask that the mode stands for."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import BlockMask

from autogaze.encoders.attention import MODES, Mode, attend, check_mode, one_mask, plan

clips = st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=1, max_size=4)


def full_mask(counts: list[list[int]], mode: Mode) -> Tensor:
    """The M x M mask, written from the definition."""
    sizes = torch.tensor(counts)
    clip, frame = (
        part.repeat_interleave(sizes.flatten())
        for part in torch.meshgrid(*map(torch.arange, sizes.shape), indexing="ij")
        for part in [part.flatten()]
    )
    later = torch.arange(len(clip))[:, None] >= torch.arange(len(clip))
    sees = {
        "block_causal": frame[:, None] >= frame,
        "frame_independent": frame[:, None] == frame,
        "causal": later,
        "bidirectional": torch.ones_like(later),
    }
    return (clip[:, None] == clip) & sees[mode]


@settings(max_examples=60, deadline=None)
@given(clips, st.sampled_from(MODES), st.sampled_from([0, 40, 10_000]))
def test_blocks_equal_one_masked_attention(counts: list[list[int]], mode: Mode, call_cost: int) -> None:
    M = sum(map(sum, counts))
    q, k, v = torch.randn(3, M, 2, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    got = attend(q, k, v, plan(counts, mode, call_cost=call_cost))
    assert got.shape == (M, 2, 4)
    if M:
        heads_first = (x.transpose(0, 1)[None] for x in (q, k, v))
        want = F.scaled_dot_product_attention(*heads_first, attn_mask=full_mask(counts, mode))[0]
        torch.testing.assert_close(got, want.transpose(0, 1))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "counts", [[[3, 0, 4]], [[150, 140], [1, 0], [130, 200]], [[0, 0], [400, 0]], [[128], [256]]]
)
def test_one_mask_equals_the_blocks(
    counts: list[list[int]], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FlexAttention unfused, on a CPU: its mask is exact, and its tiles leave out nothing that the mask allows."""
    monkeypatch.setattr(
        "torch.nn.attention.flex_attention._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True, raising=False
    )
    M = sum(map(sum, counts))
    q, k, v = torch.randn(3, M, 2, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = one_mask(counts, mode, "cpu")
    torch.testing.assert_close(attend(q, k, v, mask), attend(q, k, v, plan(counts, mode)))
    full = full_mask(counts, mode)
    side = -M % 128
    tiles = F.pad(full, (0, side, 0, side)).view((M + side) // 128, 128, -1, 128)
    touched, whole = tiles.any(3).any(1), tiles.all(3).all(1)
    partly, wholly = (dense(mask, name) for name in ("kv", "full_kv"))
    assert torch.equal(partly | wholly, touched) and not (partly & wholly).any()
    assert not (wholly & ~F.pad(full, (0, side, 0, side), value=True).view(tiles.shape).all(3).all(1)).any()
    assert not (whole & ~wholly).any(), "nothing seen whole is masked"


def dense(mask: BlockMask, name: str) -> Tensor:
    """Bool (query tiles, key tiles) of one of a mask's two lists, "kv" or "full_kv"."""
    number, which = getattr(mask, f"{name}_num_blocks")[0, 0], getattr(mask, f"{name}_indices")[0, 0]
    found = torch.zeros(which.shape, dtype=torch.bool)
    for row, count in enumerate(number.tolist()):
        found[row, which[row, :count].long()] = True
    return found


def test_gpus_get_one_mask_in_half_precision_and_with_fused_kernels_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr("autogaze.encoders.attention.one_mask", lambda *args: asked.append(args) or "mask")
    assert plan([[3]], "causal", "cuda", dtype=torch.bfloat16) == "mask"
    assert isinstance(plan([[3]], "causal", "cpu", dtype=torch.bfloat16), list)
    assert isinstance(plan([[3]], "causal", "cuda", dtype=torch.float32), list)
    with sdpa_kernel(SDPBackend.MATH):
        assert isinstance(plan([[3]], "causal", "cuda", dtype=torch.bfloat16), list)
    assert len(asked) == 1


def test_no_mask_where_calls_are_free_and_none_larger_than_a_call_is_worth() -> None:
    counts = [[265] * 16]
    assert all(block.mask is None for block in plan(counts, "block_causal", call_cost=0))
    assert len(plan(counts, "block_causal")) == 16
    small = plan([[3] * 16], "block_causal")
    assert len(small) < 16
    assert all(block.mask is None or block.mask.numel() <= 3 * 4096 for block in small)


def test_unknown_mode_names_the_allowed_ones() -> None:
    with pytest.raises(
        ValueError, match=r"attn_type='blocky'.*block_causal, frame_independent, causal, bidir"
    ):
        check_mode("blocky")
