"""Next-token prediction: learn to write the lists that the greedy search wrote, and to foretell the losses.

Cross-entropy of every slot's token, and the squared error of the loss predicted before each slot and after each
frame's last, each a mean over all tokens of the batch, as published: a clip with long lists weighs more. What departs
from the paper is off in `ntp.yaml`: dense prediction, targets by gain, lists of the network's own (see `config.Ntp`);
one thing always does: tokens that decoding forbids take no part in the softmax.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network
from autogaze.training.batches import PROCESSOR, Batch, Clips, collate, pick
from autogaze.training.config import TrainConfig
from autogaze.training.forcing import Scores, firsts, read
from autogaze.training.labels import LabelledClip
from autogaze.training.objectives import search_of
from autogaze.training.rollouts import own_list, there_and_back


class NtpStage:
    """The loss of a micro-step; holds no state that changes, so that a step can be repeated exactly."""

    def __init__(self, labels: Clips, config: TrainConfig, rank: int = 0, world: int = 1):
        self.labels, self.config, self.rank, self.world = labels, config, rank, world

    def __call__(
        self, network: Network, sizes: AutoGazeConfig, micro: int, draw: np.random.Generator
    ) -> tuple[Tensor, Mapping[str, float]]:
        """Loss to go down and figures to log, of micro-step `micro` (counted over the whole run)."""
        config = self.config
        picked = pick(len(self.labels), micro, config.batch, self.rank, self.world, config.seed)
        frames = int(draw.choice(config.frames))
        clips = [self._clip(network, sizes, self.labels[index], frames, draw) for index in picked]
        # A processor gains nothing from stacking clips, and loses by the mask that their padding needs.
        groups = [[clip] for clip in clips] if config.device == "cpu" else [clips]
        terms = [self.terms(network, sizes, collate(group, frames, draw, config.flip)) for group in groups]
        tokens = pooled([one.tokens for one in terms])
        losses = pooled([one.losses for one in terms])
        total = tokens + config.ntp.loss_weight * losses
        return total, {"cross_entropy": tokens.item(), "loss_error": losses.item()}

    def _clip(
        self,
        network: Network,
        sizes: AutoGazeConfig,
        clip: LabelledClip,
        frames: int,
        draw: np.random.Generator,
    ) -> LabelledClip:
        """The clip with the search's list, or with one that the network writes itself."""
        if not self.config.ntp.own or draw.random() >= self.config.ntp.own:
            return clip
        return own_list(network, sizes, there_and_back(clip.frames, frames), self.config, draw)

    def terms(self, network: Network, sizes: AutoGazeConfig, batch: Batch) -> "Terms":
        """The two terms on a batch, token by token."""
        device = self.config.device
        gaze = batch.gaze.to(device)
        video = PROCESSOR.pixels(batch.frames.flatten(0, 1)).view(*batch.frames.shape).to(device)
        with torch.autocast(device.split(":")[0], torch.bfloat16, self.config.precision == "bfloat16"):
            features, _ = network.features(video)
            scores = read(network, sizes, features, gaze, self.config.ntp.dense)
        wanted = self._wanted(batch).to(device)
        return Terms(
            cross_entropy(scores, gaze, wanted),
            loss_error(scores, gaze, batch.losses.to(device), sizes.heads_ahead),
        )

    def _wanted(self, batch: Batch) -> Tensor:
        gain = self.config.ntp.gain
        if not gain:
            return targets(batch.gaze)
        return gain_targets(batch, gain, self.config.memory, self.config.ntp.objective)


class Terms(NamedTuple):
    """Of one batch: the cross-entropy of every pair (tokens), the squared error of every predicted loss (losses)."""

    tokens: Tensor
    losses: Tensor


def pooled(parts: Sequence[Tensor]) -> Tensor:
    """The mean over all values of all parts; however a batch was cut, it is the same."""
    return torch.cat(list(parts)).mean()


def cross_entropy(scores: Scores, gaze: Gaze, wanted: Tensor) -> Tensor:
    """Float (pairs,): the cross-entropy between what a pair says and its slot's target, of `wanted` (B, N, 266)."""
    log_p = scores.logits.log_softmax(-1)
    weights = wanted[:, scores.pairs.slots]
    # A forbidden token has weight 0 and log-probability minus infinity, whose product is no number.
    each = -(weights * log_p.masked_fill(weights == 0, 0.0)).sum(-1)
    known = ~gaze.padded[:, scores.pairs.slots]
    return each[known]


def targets(gaze: Gaze) -> Tensor:
    """Float (B, N, 266), what each slot should say: its own token. Rows of padded slots are zero."""
    tokens = gaze.positions % gaze.tokens
    said = torch.nn.functional.one_hot(tokens.masked_fill(gaze.padded, 0), gaze.tokens + 1)
    return said * (~gaze.padded[..., None]).float()


def gain_targets(batch: Batch, temperature: float, memory: bool = True, objective: str = "paste") -> Tensor:
    """Float (B, N, 266), what each slot should say: every token by what it would gain after those before it.

    A list names one token a slot, though many gain nearly as much; the replayed search knows what each gains.
    p is exp(gain / best gain / temperature), normalised. Rows of padded slots are zero. Gains are those of the
    objective, whatever made the lists.
    """
    out = torch.zeros(*batch.gaze.positions.shape, batch.gaze.tokens + 1)
    tokens = batch.gaze.positions % batch.gaze.tokens
    for clip, frames in enumerate(batch.frames.numpy().astype(np.float32) / np.float32(255)):
        state, start = search_of(objective, memory), 0
        for pixels, count in zip(frames, batch.gaze.per_frame, strict=True):
            real = int((~batch.gaze.padded[clip, start : start + count]).sum())
            gains = torch.from_numpy(state.replay(pixels, tokens[clip, start : start + real].tolist()).gains)
            best = gains.amax(1, keepdim=True).clamp(min=1e-12)
            out[clip, start : start + real, :-1] = (gains / best / temperature).softmax(1).float()
            start += count
    return out


def loss_error(scores: Scores, gaze: Gaze, losses: Tensor, ahead: int) -> Tensor:
    """Squared errors of predicted losses: before each slot but a frame's first, and after each last one."""
    slots, opening = scores.pairs.slots, firsts(gaze)
    first = torch.zeros(gaze.padded.shape[1], dtype=torch.bool, device=gaze.padded.device)
    first[opening] = True
    known = ~gaze.padded[:, slots] & ~first[slots]
    before = losses[:, (slots - 1).clamp(min=0)]
    errors = (scores.losses - before)[known].square()
    final = (scores.last_losses - losses.gather(1, opening + gaze.counts() - 1)).square()
    return torch.cat([errors, final.flatten()])
