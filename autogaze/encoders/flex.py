"""Attention among packed tokens on accelerators: one FlexAttention kernel a layer, whatever the number of frames.

In every mode the keys that a query sees are a contiguous range [first, last) of the row of tokens. Tiles of 128
queries by 128 keys that nobody looks into are never computed, those that everybody in the tile sees whole need no mask.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

TILE = 128


def key_ranges(ranges: Iterable[tuple[int, int, int, int]], device: torch.device | str) -> BlockMask:
    """The mask in which queries [q, q_end) see keys [k, k_end), for (q, q_end, k, k_end) of all queries in order."""
    rows = torch.tensor(list(ranges), dtype=torch.int64).reshape(-1, 4)
    lengths = rows[:, 1] - rows[:, 0]
    first, last = (rows[:, side].repeat_interleave(lengths) for side in (2, 3))
    return _mask(first, last, torch.device(device))


def causal_ranges(clips: Iterable[int], device: torch.device | str) -> BlockMask:
    """The mask in which every token sees its clip, `clips` tokens each, up to itself."""
    sizes = torch.tensor(list(clips), dtype=torch.int64)
    first = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    return _mask(first, torch.arange(len(first)) + 1, torch.device(device))


def _mask(first: Tensor, last: Tensor, device: torch.device) -> BlockMask:
    """Tiles from key ranges [first, last) of each query, long (M,) on the CPU."""
    count = len(first)
    padded = -count % TILE
    tiles = (count + padded) // TILE
    # Queries past the end see nothing; for tiles seen whole they may stand for anything.
    low = F.pad(first, (0, padded), value=count).view(tiles, TILE)
    high = F.pad(last, (0, padded), value=0).view(tiles, TILE)
    real = (torch.arange(tiles * TILE) < count).view(tiles, TILE)
    start = torch.arange(tiles) * TILE
    end = start + TILE
    touched = (low.amin(1)[:, None] < end) & (high.amax(1)[:, None] > start)
    latest, soonest = low.where(real, 0).amax(1), high.where(real, count + padded).amin(1)
    # A tile at the edge holds keys that do not exist, so it is never whole.
    whole = touched & (latest[:, None] <= start) & (soonest[:, None] >= end) & (end <= count)
    first, last = first.to(device), last.to(device)

    def sees(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        at = query.clamp(max=count - 1)
        return (key >= first[at]) & (key < last[at])

    return BlockMask.from_kv_blocks(
        *_lists(touched & ~whole, device), *_lists(whole, device), TILE, sees, seq_lengths=(count, count)
    )


def _lists(tiles: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Bool (queries, keys) -> how many tiles of each row, int32 (1, 1, n), and which, chosen first, (1, 1, n, n)."""
    order = tiles.logical_not().to(torch.uint8).argsort(dim=1, stable=True)
    return tiles.sum(1)[None, None].int().to(device), order[None, None].int().to(device)


def attend_flex(q: Tensor, k: Tensor, v: Tensor, mask: BlockMask) -> Tensor:
    """Scaled dot-product attention under `mask`, the same for all layers. q, k, v, result: (M, heads, head dim)."""
    if not len(q):
        return q
    q, k, v = (x.transpose(0, 1)[None].contiguous() for x in (q, k, v))
    kernel: Any = _compiled() if q.device.type == "cuda" else flex_attention
    out: Tensor = kernel(q, k, v, block_mask=mask)
    return out[0].transpose(0, 1)


@cache
def _compiled() -> Callable[..., Any]:
    """Compiled once for any number of tokens; uncompiled, FlexAttention draws the whole matrix of scores."""
    return torch.compile(flex_attention, dynamic=True)
