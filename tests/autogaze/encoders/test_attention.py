"""Blocks must amount to one attention under the mask that the mode stands for."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from autogaze.encoders.attention import MODES, Mode, attend, check_mode, plan

clips = st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=1, max_size=4)


def full_mask(counts: list[list[int]], mode: Mode) -> Tensor:
    """The M x M mask, written from the definition."""
    rows = [(c, t) for c, clip in enumerate(counts) for t, n in enumerate(clip) for _ in range(n)]
    mask = torch.zeros(len(rows), len(rows), dtype=torch.bool)
    for i, (c, t) in enumerate(rows):
        for j, (d, u) in enumerate(rows):
            sees = {
                "block_causal": u <= t,
                "frame_independent": u == t,
                "causal": j <= i,
                "bidirectional": True,
            }
            mask[i, j] = c == d and sees[mode]
    return mask


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
