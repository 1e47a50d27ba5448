"""Attention of a few new rows to a long static cache as one Triton kernel, a clip's head a program.

Kernels made for long queries pad ten rows to 64 or 128 and read the cache no faster for it. This one pads to 16, reads
each key once, stops at a clip's own length, and computes float32 in float32. With TRITON_INTERPRET=1 it runs on a CPU,
which is how it is tested.
"""

from dataclasses import dataclass
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from autogaze.model.attending import Attention

# The fewest rows that a matrix unit takes; more go to the fallback, and all where it is 0.
ROWS = 16


@triton.jit  # type: ignore[untyped-decorator]
def _attend(  # type: ignore[no-untyped-def]
    asked,
    keys,
    values,
    out,
    first,
    clip_stride,
    rows,
    HEADS: tl.constexpr,
    DIM: tl.constexpr,
    PADDED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    clip = (tl.program_id(0) // HEADS).to(tl.int64)
    head = tl.program_id(0) % HEADS
    row, channel, key = tl.arange(0, PADDED), tl.arange(0, DIM), tl.arange(0, BLOCK)
    reach = tl.load(first + clip)
    mine = clip * rows * HEADS * DIM + row[:, None] * (HEADS * DIM) + head * DIM + channel[None, :]
    q = tl.load(asked + mine, mask=row[:, None] < rows, other=0.0)
    keys += clip * clip_stride + head * DIM
    values += clip * clip_stride + head * DIM
    best = tl.full((PADDED,), -float("inf"), tl.float32)
    total = tl.zeros((PADDED,), tl.float32)
    seen = tl.zeros((PADDED, DIM), tl.float32)
    end = reach + rows
    for start in range(0, end, BLOCK):
        at = start + key
        k = tl.load(keys + at[None, :] * (HEADS * DIM) + channel[:, None], mask=at[None, :] < end, other=0.0)
        score = tl.dot(q, k, input_precision="ieee")
        score = tl.where(at[None, :] <= reach + row[:, None], score, -float("inf"))
        top = tl.maximum(best, tl.max(score, 1))
        weight, fade = tl.exp(score - top[:, None]), tl.exp(best - top)
        v = tl.load(
            values + at[:, None] * (HEADS * DIM) + channel[None, :], mask=at[:, None] < end, other=0.0
        )
        seen = seen * fade[:, None] + tl.dot(weight.to(v.dtype), v, input_precision="ieee")
        total = total * fade + tl.sum(weight, 1)
        best = top
    tl.store(out + mine, seen / total[:, None], mask=row[:, None] < rows)


@dataclass(frozen=True)
class Few:
    """Number of the last token that each clip's first row sees, long (B,)."""

    first: Tensor


class Short:
    """This kernel for up to 16 rows, another way for more."""

    def __init__(self, fallback: Attention) -> None:
        self._fallback = fallback

    def plan(self, first: Tensor, rows: int, end: int, capacity: int) -> Any:
        return Few(first) if rows <= ROWS else self._fallback.plan(first, rows, end, capacity)

    def attend(self, q: Tensor, keys: Tensor, values: Tensor, plan: Any) -> Tensor:
        if not isinstance(plan, Few):
            return self._fallback.attend(q, keys, values, plan)
        batch, rows, heads, dim = q.shape
        q, out = q.contiguous(), torch.empty_like(q, memory_format=torch.contiguous_format)
        wide = q.element_size() > 2
        _attend[(batch * heads,)](
            q,
            keys,
            values,
            out,
            plan.first,
            keys.stride(0),
            rows,
            HEADS=heads,
            DIM=dim,
            PADDED=ROWS,
            BLOCK=64 if wide else 128,
            num_warps=2,
        )
        return out
