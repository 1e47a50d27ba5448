"""Attention of new rows to a static cache: where the device has flash attention by sequence lengths, else by a mask.

Row i of clip b sees the cached tokens up to and including number first[b] + i. Keys and values are (B, capacity,
heads, dim), the new rows' own already in place. `end`: no row sees beyond it; it does not change within a frame.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Attention(Protocol):
    """One way to attend."""

    def plan(self, first: Tensor, rows: int, end: int, capacity: int) -> Any:
        """What `attend` needs beside tensors of one layer, once a step. first: long (B,)."""

    def attend(self, q: Tensor, keys: Tensor, values: Tensor, plan: Any) -> Tensor:
        """q (B, rows, heads, dim), scaled already -> the same shape."""


class Masked:
    """torch's own attention under a mask: any device, any precision."""

    def plan(self, first: Tensor, rows: int, end: int, capacity: int) -> Tensor:
        """Bool (B, 1, rows, end)."""
        reach = first[:, None] + torch.arange(rows, device=first.device)
        return (torch.arange(end, device=first.device) <= reach[..., None])[:, None]

    def attend(self, q: Tensor, keys: Tensor, values: Tensor, plan: Tensor) -> Tensor:
        end = plan.shape[-1]
        q, keys, values = (x.transpose(1, 2) for x in (q, keys[:, :end], values[:, :end]))
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=plan, scale=1.0).transpose(1, 2)


@dataclass(frozen=True)
class Lengths:
    """Where sequences start in the packed queries and keys, int32 (B + 1,), and how many keys each has, int32 (B,)."""

    starts: Tensor
    spans: Tensor
    seen: Tensor
    rows: int
    end: int


class Flash:
    """Flash attention by sequence lengths: half precision on a GPU, reads no key that nobody sees.

    The operator beneath `torch.nn.attention.varlen`: that call takes lengths only from torch 2.12 on, and may choose
    another kernel. kernel: what stands in for it, in a test.
    """

    def __init__(self, kernel: Callable[..., Any] | None = None) -> None:
        self._kernel = kernel or torch.ops.aten._flash_attention_forward

    def plan(self, first: Tensor, rows: int, end: int, capacity: int) -> Lengths:
        row = torch.arange(len(first) + 1, dtype=torch.int32, device=first.device)
        return Lengths(row * rows, row * capacity, (first + rows).to(torch.int32), rows, end)

    def attend(self, q: Tensor, keys: Tensor, values: Tensor, plan: Lengths) -> Tensor:
        # Causal from the last key on: of the `seen` keys the last row sees all, the one before it all but one.
        y = self._kernel(
            q.flatten(0, 1),
            keys.flatten(0, 1),
            values.flatten(0, 1),
            plan.starts,
            plan.spans,
            plan.rows,
            plan.end,
            0.0,
            True,
            False,
            scale=1.0,
            seqused_k=plan.seen,
        )[0]
        assert isinstance(y, Tensor)
        return y.view(q.shape)


def attention_for(device: torch.device, dtype: torch.dtype) -> Attention:
    """The fastest way that torch has on `device` for `dtype`."""
    half = dtype in (torch.float16, torch.bfloat16)
    if device.type == "cuda" and half and torch.version.cuda and _has_flash(device):
        return Flash()
    return Masked()


def _has_flash(device: torch.device) -> bool:
    """Flash attention needs Ampere or later, and a torch that was built with it."""
    built: bool = torch.backends.cuda.is_flash_attention_available()
    return built and torch.cuda.get_device_capability(device) >= (8, 0)
