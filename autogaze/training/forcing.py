"""Teacher forcing as the decoder really runs: one differentiable pass that scores every token of given lists.

`autogaze.model.teacher` counts positions through, as the published training code does. The published *decoder* does
not: groups written in a frame all take the positions of its last ten features (see `autogaze.model.decode`). A
network trained on one and run on the other meets positions it never saw, so here every row gets the position
that it has when decoding, and tokens that decoding forbids (end of list, taken before) are forbidden here.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network, causal_mask, rotary
from autogaze.model.teacher import Pairs, pairs_of, wanted_rows


@dataclass(frozen=True)
class Scores:
    """What the network thinks of each pair; pairs whose slot is padded mean nothing.

    logits: float (B, P, 266), minus infinity at tokens that decoding forbids there.
    losses: float (B, P), the loss predicted for the moment before the pair's slot is filled.
    last_losses: float (B, T), the loss predicted for the moment after each frame's last token.
    """

    pairs: Pairs
    logits: Tensor
    losses: Tensor
    last_losses: Tensor


def read(
    network: Network, config: AutoGazeConfig, features: Tensor, gaze: Gaze, dense: bool = False
) -> Scores:
    """Score `gaze` (padded at the ends of its lists only), given features (B, T, 196, C)."""
    tokens = (gaze.positions % config.eos).masked_fill(gaze.padded, config.eos)
    hidden = _hidden(network, config, features, tokens, gaze)
    pairs = pairs_of(gaze.per_frame, config.heads_ahead, dense)
    pairs = Pairs(*(index.to(tokens.device) for index in (pairs.rows, pairs.heads, pairs.slots)))
    decoder = network.gaze_decoder
    logits = decoder.lm_head(hidden).unflatten(-1, (config.heads_ahead, -1))[:, pairs.rows, pairs.heads]
    losses = decoder.task_loss_prediction_head(hidden).float()
    # The loss after a frame's last token: the next head of its group's row; the token's own first head
    # where the group is full.
    last_rows, last_heads = _last(gaze, config.heads_ahead)
    clip = torch.arange(gaze.batch, device=tokens.device)[:, None]
    taken = taken_before(tokens, gaze.per_frame, config.eos)
    forbidden = taken[:, pairs.slots]
    return Scores(
        pairs,
        logits.float().masked_fill(forbidden, -torch.inf),
        losses[:, pairs.rows, pairs.heads],
        losses[clip, last_rows, last_heads],
    )


def taken_before(tokens: Tensor, per_frame: tuple[int, ...], eos: int) -> Tensor:
    """Bool (B, N, 266): what decoding forbids at each slot, the frame's earlier tokens and the end of list."""
    parts = []
    for part in torch.split(tokens, list(per_frame), dim=1):
        chosen = F.one_hot(part, eos + 1)
        before = (chosen.cumsum(1) - chosen) > 0
        before[..., eos] = True
        parts.append(before)
    return torch.cat(parts, 1)


def places(gaze: Gaze, features: int, ahead: int) -> tuple[Tensor, Tensor]:
    """Rotary position and attendance of every row of the sequence: long and bool (B, S)."""
    seen = torch.split(~gaze.padded, list(gaze.per_frame), dim=1)
    every = torch.ones(gaze.batch, features, dtype=torch.bool, device=gaze.padded.device)
    attended = torch.cat([part for empty in seen for part in (every, empty)], 1)
    places = attended.long().cumsum(1) - 1
    start = 0
    for part in seen:
        slots = torch.arange(part.shape[1], device=part.device)
        # The last group of a frame waits and is read with the next frame's features, counted through.
        written = slots < (part.sum(1, keepdim=True) - 1).clamp(min=0) // ahead * ahead
        base = places[:, start + features - 1, None] - ahead + 1
        rows = slice(start + features, start + features + part.shape[1])
        places[:, rows] = torch.where(written, base + slots % ahead, places[:, rows])
        start += features + part.shape[1]
    return places, attended


def _hidden(network: Network, config: AutoGazeConfig, features: Tensor, tokens: Tensor, gaze: Gaze) -> Tensor:
    """Hidden states (B, T + N, C) of each frame's last feature and slots; the last layer runs only there."""
    body = network.gaze_decoder.model
    written = torch.split(body.embed_tokens(tokens).to(features.dtype), list(gaze.per_frame), dim=1)
    x = torch.cat([part for t, said in enumerate(written) for part in (features[:, t], said)], 1)
    where, attended = places(gaze, config.features, config.heads_ahead)
    cos, sin = rotary(where, config, x.dtype)
    mask = causal_mask(attended)
    for layer in body.layers[:-1]:
        x = layer(x, cos, sin, mask)
    wanted = wanted_rows(gaze.per_frame, config.features).to(x.device)
    hidden: Tensor = body.norm(body.layers[-1](x, cos, sin, mask, wanted))
    return hidden


def firsts(gaze: Gaze) -> Tensor:
    """The slot that opens each frame; long (T,)."""
    counts = torch.tensor(gaze.per_frame, device=gaze.padded.device)
    return counts.cumsum(0) - counts


def _last(gaze: Gaze, ahead: int) -> tuple[Tensor, Tensor]:
    """Row and head that foretell the loss after each frame's last token; long (B, T) each."""
    counts, opening = gaze.counts(), firsts(gaze)
    rows = opening + torch.arange(gaze.frames, device=counts.device)  # a row of a feature before each frame's
    return rows + counts // ahead * ahead, counts % ahead
