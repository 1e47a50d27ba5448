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
    slots, sources, ahead = _slots(config, gaze)
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


def _slots(config: AutoGazeConfig, gaze: Gaze) -> tuple[Tensor, Tensor, Tensor]:
    """Of every slot: its place in the sequence, the place that predicted it, which head; long (N,)."""
    places, sources, heads = [], [], []
    start = 0
    for count in gaze.per_frame:
        index = torch.arange(count)
        head = index % config.heads_ahead
        place = start + config.features + index
        places.append(place)
        sources.append(place - head - 1)
        heads.append(head)
        start += config.features + count
    return torch.cat(places), torch.cat(sources), torch.cat(heads)
