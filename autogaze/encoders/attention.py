"""Attention among packed tokens, block by block: no big mask, no product that a mask would throw away.

A batch of clips is one row of tokens, ordered by clip and frame. In block-causal attention the queries of
frame t need the keys of the frames up to t of the same clip, a contiguous range: one call without a mask.
Frames of a few tokens would make many tiny calls; neighbours are joined while that costs less than a call,
under a mask of the block's size.

On a GPU in half precision `plan` gives one FlexAttention mask instead (`autogaze.encoders.flex`): 256 tiles would be
thousands of calls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Literal, Union, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:  # a second of imports, for GPUs only
    from torch.nn.attention.flex_attention import BlockMask

Mode = Literal["block_causal", "frame_independent", "causal", "bidirectional"]
MODES: tuple[str, ...] = get_args(Mode)

# What one more call costs, in query x key products: measured on 2 CPU cores at 12 heads of 64. On a GPU a
# product is some hundred times cheaper and a launch is not, so blocks may waste more there.
CALL_COST_CPU = 4096
CALL_COST_GPU = 262_144


@dataclass(frozen=True)
class Block:
    """Queries [query, query_end) against keys [key, key_end); `mask` bool (queries, keys): True sees."""

    query: int
    query_end: int
    key: int
    key_end: int
    mask: Tensor | None = None
    causal: bool = False


Plan = Union[list[Block], "BlockMask"]


@dataclass
class _Unit:
    """Consecutive queries that all see the same keys; a block before its mask is drawn."""

    query: int
    query_end: int
    key: int
    key_end: int

    @property
    def area(self) -> int:
        return (self.query_end - self.query) * (self.key_end - self.key)

    def joined(self, other: "_Unit") -> "_Unit":
        return _Unit(self.query, other.query_end, min(self.key, other.key), max(self.key_end, other.key_end))


def check_mode(mode: str) -> Mode:
    """The mode itself; ValueError naming the allowed ones otherwise."""
    if mode not in MODES:
        raise ValueError(f"attn_type={mode!r}: allowed are {', '.join(MODES)}")
    return mode  # type: ignore[return-value]


def plan(
    counts: Sequence[Sequence[int]],
    mode: Mode,
    device: torch.device | str = "cpu",
    call_cost: int | None = None,
    dtype: torch.dtype = torch.float32,
) -> Plan:
    """The calls that make up one attention over packed clips, or one mask for all of it.

    counts: tokens of every frame, clip by clip. Padded slots are not among them, so nobody sees them.
    """
    if _one_kernel(device, dtype):
        return one_mask(counts, mode, device)
    if mode == "causal":
        return _causal(counts)
    if call_cost is None:
        call_cost = CALL_COST_CPU if torch.device(device).type == "cpu" else CALL_COST_GPU
    blocks: list[Block] = []
    members: list[_Unit] = []
    whole: _Unit | None = None
    for unit in _units(counts, mode):
        joined = whole.joined(unit) if whole else unit
        if whole and joined.area - whole.area - unit.area > call_cost:
            blocks.append(_block(whole, members, device))
            members, joined = [], unit
        whole = joined
        members.append(unit)
    if whole:
        blocks.append(_block(whole, members, device))
    return blocks


def products_in(x: Tensor) -> torch.dtype:
    """The precision that linear layers on x come out in."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _one_kernel(device: torch.device | str, dtype: torch.dtype) -> bool:
    """On a GPU, in half precision, unless the caller wants no fused kernels.

    (`sdpa_kernel(SDPBackend.MATH)` says so for torch's own attention; a comparison without flash means all of it.)
    """
    half = dtype in (torch.float16, torch.bfloat16)
    allowed: bool = torch.backends.cuda.flash_sdp_enabled()  # type: ignore[no-untyped-call]
    return torch.device(device).type == "cuda" and half and allowed


def one_mask(counts: Sequence[Sequence[int]], mode: Mode, device: torch.device | str) -> "BlockMask":
    """The same attention as FlexAttention's mask."""
    from autogaze.encoders import flex

    if mode == "causal":
        return flex.causal_ranges((sum(clip) for clip in counts), device)
    return flex.key_ranges((astuple(unit) for unit in _units(counts, mode)), device)


def _units(counts: Sequence[Sequence[int]], mode: Mode) -> Iterator[_Unit]:
    """One unit a frame (a clip, when bidirectional), empty ones left out."""
    start = 0
    for clip in counts:
        sizes = [sum(clip)] if mode == "bidirectional" else clip
        query = start
        for size in sizes:
            if size:
                yield _Unit(
                    query, query + size, query if mode == "frame_independent" else start, query + size
                )
            query += size
        start = query


def _block(whole: _Unit, members: list[_Unit], device: torch.device | str) -> Block:
    mask = None
    if any((unit.key, unit.key_end) != (whole.key, whole.key_end) for unit in members):
        mask = torch.zeros(whole.query_end - whole.query, whole.key_end - whole.key, dtype=torch.bool)
        for unit in members:
            rows = slice(unit.query - whole.query, unit.query_end - whole.query)
            mask[rows, unit.key - whole.key : unit.key_end - whole.key] = True
        mask = mask.to(device)
    return Block(whole.query, whole.query_end, whole.key, whole.key_end, mask)


def _causal(counts: Sequence[Sequence[int]]) -> list[Block]:
    """Each token sees those before it in its clip: the kernels know that pattern themselves."""
    blocks, start = [], 0
    for clip in counts:
        end = start + sum(clip)
        if end > start:
            blocks.append(Block(start, end, start, end, causal=True))
        start = end
    return blocks


def attend(q: Tensor, k: Tensor, v: Tensor, blocks: Plan) -> Tensor:
    """Scaled dot-product attention as planned. q, k, v and the result: (M, heads, head_dim)."""
    if not isinstance(blocks, list):
        from autogaze.encoders import flex

        return flex.attend_flex(q, k, v, blocks)
    q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
    if q.device.type == "cpu":
        # Rows of a head side by side: a copy costs far less than the kernel's strided reads (a third of its time).
        q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    parts = [
        F.scaled_dot_product_attention(
            q[:, :, block.query : block.query_end],
            k[:, :, block.key : block.key_end],
            v[:, :, block.key : block.key_end],
            attn_mask=block.mask,
            is_causal=block.causal,
        )
        for block in blocks
    ]
    if not parts:
        return q[0].transpose(0, 1)
    return torch.cat([part[0].transpose(0, 1) for part in parts])
