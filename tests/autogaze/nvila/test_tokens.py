"""Run with: pytest tests/autogaze/nvila/test_tokens.py"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autogaze.nvila.tokens import shuffle, shuffle_index, shuffled_counts


def by_hand(counts: list[int], width: int) -> list[list[int]]:
    rows, start = [], 0
    for count in counts:
        tokens = list(range(start, start + count))
        while len(tokens) % width:
            tokens.append(tokens[-1])
        rows += [tokens[at : at + width] for at in range(0, len(tokens), width)]
        start += count
    return rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 9))
def test_frames_are_padded_with_their_last_token(counts: list[int], width: int) -> None:
    index = shuffle_index(torch.tensor(counts), width)
    assert index.tolist() == by_hand(counts, width)
    assert len(index) == int(shuffled_counts(torch.tensor(counts), width).sum())


def test_neighbours_stand_side_by_side() -> None:
    features = torch.arange(8.0).view(4, 2)
    wide = shuffle(features, torch.tensor([1, 3]), 2)
    assert wide.tolist() == [[0, 1, 0, 1], [2, 3, 4, 5], [6, 7, 6, 7]]


def test_counts_have_to_fit() -> None:
    with pytest.raises(ValueError, match="counts: sum 3, expected the 4 features"):
        shuffle(torch.zeros(4, 2), torch.tensor([3]), 9)
