"""`choosing.write` as one Triton kernel, a clip a program: ten choices one after the other in registers.

In torch the choices are some forty launches a group. Sampling shapes the scores in torch first. With
TRITON_INTERPRET=1 the kernel runs on a CPU, which is how it is tested.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from autogaze.model.choosing import Request, Written, advance, temper


@triton.jit  # type: ignore[untyped-decorator]
def _write(  # type: ignore[no-untyped-def]
    scores,
    losses,
    blocked,
    tokens,
    padded,
    group,
    real,
    alive,
    slots,
    budget,
    limit,
    score_stride,
    loss_stride,
    room,
    STOPS: tl.constexpr,
    WORDS: tl.constexpr,
    AHEAD: tl.constexpr,
    BLOCK: tl.constexpr,
):
    clip = tl.program_id(0)
    word = tl.arange(0, BLOCK)
    there = word < WORDS
    shut = tl.load(blocked + clip * WORDS + word, mask=there, other=1)
    going = tl.load(alive + clip) != 0
    start, most = tl.load(slots), tl.load(budget)
    loss_limit = tl.load(limit)
    stopped = 0
    for ahead in tl.static_range(AHEAD):
        score = tl.load(scores + clip * score_stride + ahead * WORDS + word, mask=there, other=-float("inf"))
        token = tl.argmax(tl.where(shut != 0, -float("inf"), score), 0)
        shut = tl.where(word == token, 1, shut)
        inside = start + ahead < most
        pad = 0
        if STOPS:
            met = tl.load(losses + clip * loss_stride + ahead) <= loss_limit
            pad = (met & (start + ahead > 0)).to(tl.int32)
        stopped = stopped | (pad & inside.to(tl.int32))
        tl.store(tokens + clip * room + start + ahead, token.to(tl.int64), mask=going & inside)
        tl.store(padded + clip * room + start + ahead, pad, mask=going & inside)
        tl.store(group + clip * AHEAD + ahead, token.to(tl.int64), mask=going)
        tl.store(real + clip * AHEAD + ahead, (inside & (pad == 0)).to(tl.int32), mask=going)
    tl.store(blocked + clip * WORDS + word, shut, mask=there)
    tl.store(alive + clip, (going & (stopped == 0)).to(tl.int32))


def write_fused(
    written: Written, scores: Tensor, losses: Tensor, request: Request, noise: Tensor | None = None
) -> None:
    """`choosing.write`, in two small launches for the counts and one for everything else."""
    batch, ahead, words = scores.shape
    if noise is not None:
        scores = temper(scores.masked_fill(written.blocked[:, None], -torch.inf), request, noise)
    before = written.slots.clone()
    advance(written, ahead)
    _write[(batch,)](
        scores,
        losses,
        written.blocked.view(torch.uint8),
        written.tokens,
        written.padded.view(torch.uint8),
        written.group,
        written.real.view(torch.uint8),
        written.alive.view(torch.uint8),
        before,
        written.budget,
        _as_tensor(request.requirement, scores),
        scores.stride(0),
        losses.stride(0),
        written.tokens.shape[1],
        STOPS=request.requirement is not None,
        WORDS=words,
        AHEAD=ahead,
        BLOCK=triton.next_power_of_2(words),
    )


def _as_tensor(limit: float | Tensor | None, like: Tensor) -> Tensor:
    return limit if isinstance(limit, Tensor) else like.new_full((1,), 0.0 if limit is None else limit)
