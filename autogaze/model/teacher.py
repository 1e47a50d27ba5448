"""Teacher forcing: one differentiable pass over a given gaze, for training and for looking into the model."""

from dataclasses import dataclass

import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network


@dataclass(frozen=True)
class Forced:
    """What the model says about a given gaze; N slots, without meaning where the gaze is padded.

    log_probabilities: float (B, N), of the token in each slot, before any token is forbidden.
    losses: float (B, N), the reconstruction loss predicted for the moment the slot's token has been seen.
    logits: float (B, N, 266), the scores each slot's token was chosen from.
    """

    log_probabilities: Tensor
    losses: Tensor
    logits: Tensor

    @property
    def probabilities(self) -> Tensor:
        """Float (B, N) in [0, 1]."""
        return self.log_probabilities.exp()


@dataclass(frozen=True)
class Pairs:
    """Which row's which head speaks of which slot; long (P,) each.

    rows: index among the wanted rows (each frame's last feature, then its slots). heads: 0 to 9. slots: 0 to
    N - 1.
    """

    rows: Tensor
    heads: Tensor
    slots: Tensor


def teacher_force(network: Network, config: AutoGazeConfig, video: Tensor, gaze: Gaze) -> Forced:
    """Read video (B, T, 3, 224, 224) with `gaze` written in. Raises ValueError when the two do not fit."""
    if gaze.batch != len(video) or gaze.frames != video.shape[1] or gaze.tokens != config.eos:
        raise ValueError(
            f"gaze: {gaze.batch} clips of {gaze.frames} frames with {gaze.tokens} tokens, expected "
            f"{len(video)} of {video.shape[1]} with {config.eos}"
        )
    tokens = (gaze.positions % config.eos).masked_fill(gaze.padded, config.eos)
    features, _ = network.features(video)
    embeds, attended = _interleave(features, network.gaze_decoder.model.embed_tokens(tokens), gaze)
    hidden = network.gaze_decoder(embeds, attended)
    pairs, rows = pairs_of(gaze.per_frame, config.heads_ahead), wanted_rows(gaze.per_frame, config.features)
    slots, sources, ahead = rows[pairs.rows + pairs.heads + 1], rows[pairs.rows], pairs.heads
    logits = network.gaze_decoder.lm_head(hidden[:, sources])
    logits = logits.unflatten(-1, (config.heads_ahead, -1)).float()
    logits = logits[:, torch.arange(len(slots)), ahead]
    log_probabilities = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    # The loss after a slot's token is foretold by the next head; for a group's last token that is its own
    # first head.
    next_head = (ahead + 1) % config.heads_ahead
    source = torch.where(next_head == 0, slots, sources)
    losses = network.gaze_decoder.task_loss_prediction_head(hidden[:, source]).float()
    return Forced(log_probabilities, losses[:, torch.arange(len(slots)), next_head], logits)


def _interleave(features: Tensor, written: Tensor, gaze: Gaze) -> tuple[Tensor, Tensor]:
    """Features and gaze tokens frame by frame: embeds (B, S, C), attended bool (B, S)."""
    lists = torch.split(written, list(gaze.per_frame), dim=1)
    seen = torch.split(~gaze.padded, list(gaze.per_frame), dim=1)
    embeds, attended = [], []
    for t in range(gaze.frames):
        embeds += [features[:, t], lists[t]]
        attended += [torch.ones_like(features[:, t, :, 0], dtype=torch.bool), seen[t]]
    return torch.cat(embeds, 1), torch.cat(attended, 1)


def pairs_of(per_frame: tuple[int, ...], ahead: int, dense: bool = False) -> Pairs:
    """Pairs that decoding uses: slot n of a frame belongs to the row before its group of `ahead`.

    dense: every row speaks of the `ahead` slots after it, ten times the teaching for the same pass; decoding
    uses a tenth of these.
    """
    rows, heads, slots = [], [], []
    row = slot = 0
    for count in per_frame:
        starts = range(0, count, 1 if dense else ahead)
        for start in starts:
            for head in range(min(ahead, count - start)):
                rows.append(row + start)
                heads.append(head)
                slots.append(slot + start + head)
        row, slot = row + count + 1, slot + count
    return Pairs(*(torch.tensor(index, dtype=torch.long) for index in (rows, heads, slots)))


def wanted_rows(per_frame: tuple[int, ...], features: int) -> Tensor:
    """Places in the sequence of each frame's last feature and its slots; long (T + N,)."""
    parts, start = [], 0
    for count in per_frame:
        parts.append(torch.arange(start + features - 1, start + features + count))
        start += features + count
    return torch.cat(parts)
