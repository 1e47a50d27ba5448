"""Reinforcement: sample a group of gazes of a clip, and make those that lose less more likely (GRPO).

A group's gazes have the same number of tokens in every frame, so what they earn compares. The reward is minus
the reconstruction loss of some frames; each token earns the rewards of its own frame and the later ones,
discounted by 0.995 for every token gazed in between, less the group's mean. No KL term, no division by standard
deviation or length. The loss prediction learns along the way, at each frame's last token.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network
from autogaze.training.batches import PROCESSOR, Clips, pick
from autogaze.training.config import TrainConfig
from autogaze.training.forcing import Scores, read
from autogaze.training.judge import PasteTable, judge_of
from autogaze.training.rollouts import roll_out, there_and_back
from autogaze.training.schedule import between, frame_budgets


class GrpoStage:
    """The loss of a micro-step; like `NtpStage` it holds nothing that changes."""

    def __init__(self, labels: Clips, config: TrainConfig, rank: int = 0, world: int = 1):
        self.labels, self.config, self.rank, self.world = labels, config, rank, world
        self.judge = judge_of(config.grpo.reward, config.grpo.features, config.device)

    def __call__(
        self, network: Network, sizes: AutoGazeConfig, micro: int, draw: np.random.Generator
    ) -> tuple[Tensor, Mapping[str, float]]:
        """Loss to go down and figures to log, of micro-step `micro` (counted over the whole run)."""
        config = self.config
        picked = pick(len(self.labels), micro, config.batch, self.rank, self.world, config.seed)
        length = int(draw.choice(config.frames))
        step = micro // config.accumulate
        losses, figures = [], []
        for index in picked:
            frames = there_and_back(self.labels[index].frames, length)
            if config.flip and draw.random() < 0.5:
                frames = frames.flip(-1)
            if config.grpo.cuts and draw.random() < config.grpo.cuts:
                frames = self._cut(frames, draw)
            loss, said = self.clip_loss(network, sizes, frames, step, draw)
            losses.append(loss)
            figures.append(said)
        mean = {name: float(np.mean([one[name] for one in figures])) for name in figures[0]}
        return torch.stack(losses).mean(), mean

    def _cut(self, frames: Tensor, draw: np.random.Generator) -> Tensor:
        """The clip turns into another at a random frame: nothing seen before is worth anything there."""
        other = self.labels[int(draw.integers(len(self.labels)))].frames
        at = int(draw.integers(1, len(frames))) if len(frames) > 1 else 1
        return torch.cat([frames[:at], there_and_back(other, len(frames))[: len(frames) - at]])

    def clip_loss(
        self, network: Network, sizes: AutoGazeConfig, frames: Tensor, step: int, draw: np.random.Generator
    ) -> tuple[Tensor, Mapping[str, float]]:
        """One clip, uint8 (T, 3, 224, 224): roll out its group, judge it, read it again with gradients."""
        config, settings = self.config, self.config.grpo
        video = PROCESSOR.pixels(frames)[None].to(config.device)
        heat = between(step, config.steps, *settings.temperature)
        with torch.autocast(config.device.split(":")[0], torch.bfloat16, config.precision == "bfloat16"):
            features, _ = network.features(video)
        counts = self._counts(network, sizes, features.detach().float(), heat, draw)
        group = features.detach().float().expand(settings.group, -1, -1, -1)
        gaze = roll_out(network, sizes, group, counts, heat, draw, top_k=settings.top_k)
        losses = self._losses(frames[None].float().to(config.device) / 255, gaze)
        with torch.autocast(config.device.split(":")[0], torch.bfloat16, config.precision == "bfloat16"):
            scores = read(network, sizes, features.expand(settings.group, -1, -1, -1), gaze)
        gain = advantages(losses, counts, settings.discount, self._rewarded(len(frames), draw))
        policy = policy_loss(scores, gaze, gain, heat)
        foretold = (scores.last_losses - losses).square().mean()
        return policy + settings.loss_weight * foretold, {
            "reconstruction": losses.mean().item(),
            "spread": losses.mean(1).std().item(),
            "loss_error": foretold.item(),
            "tokens": sum(counts) / len(counts),
        }

    def _counts(
        self,
        network: Network,
        sizes: AutoGazeConfig,
        features: Tensor,
        heat: float,
        draw: np.random.Generator,
    ) -> tuple[int, ...]:
        """Tokens of each frame, which the whole group shares."""
        settings, frames = self.config.grpo, features.shape[1]
        if settings.counts == "schedule":
            return frame_budgets(frames, draw, *settings.ratios, tokens=sizes.eos)
        cap = max(1, int(settings.ratios[1] * sizes.eos))
        limit = float(draw.uniform(*settings.thresholds))
        first = roll_out(network, sizes, features, (cap,) * frames, heat, draw, limit, settings.top_k)
        return tuple(max(1, count) for count in first.counts()[0].tolist())

    @torch.no_grad()
    def _losses(self, clip: Tensor, gaze: Gaze) -> Tensor:
        """What each frame of each roll-out lost, (G, T); clip float (1, T, 3, 224, 224) in [0, 1]."""
        if self.judge is not None:
            return self.judge(clip.expand(gaze.batch, -1, -1, -1, -1), gaze)
        return PasteTable.of(clip, self.config.memory).repeat(gaze.batch).losses(gaze.masks())

    def _rewarded(self, frames: int, draw: np.random.Generator) -> list[int]:
        """The frames whose loss counts."""
        wanted = self.config.grpo.reward_frames
        if not wanted or wanted >= frames:
            return list(range(frames))
        return sorted(int(t) for t in draw.choice(frames, wanted, replace=False))


def advantages(losses: Tensor, counts: Sequence[int], discount: float, rewarded: Sequence[int]) -> Tensor:
    """Float (G, N): what each token earned beyond its group's mean.

    losses: float (G, T) of a group whose frames have `counts` tokens each. A token's return is the sum over
    rewarded frames from its own on of minus the loss, times discount ** (tokens gazed after it up to the end of
    that frame).
    """
    ends = np.cumsum(counts)
    returns = losses.new_zeros(len(losses), int(ends[-1]))
    for t in rewarded:
        after = torch.arange(int(ends[t]) - 1, -1, -1, device=losses.device)
        returns[:, : int(ends[t])] -= losses[:, t, None] * discount**after
    return returns - returns.mean(0, keepdim=True)


def policy_loss(scores: Scores, gaze: Gaze, gain: Tensor, temperature: float) -> Tensor:
    """Minus the advantage times exp(logp - stopgrad(logp)), summed over tokens, averaged over the group.

    The probabilities are those that were drawn from: at the temperature, among the tokens allowed.
    """
    tokens = (gaze.positions % gaze.tokens)[:, scores.pairs.slots]
    log_p = (scores.logits / temperature).log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    change = (log_p - log_p.detach()).exp()
    return -(gain[:, scores.pairs.slots] * change).sum(1).mean()
