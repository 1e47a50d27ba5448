"""What a network is taught on scenes with text: to list the tokens that show lines, and to say what is left unread."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autogaze.gaze import SCALES, Gaze, grid_sides
from autogaze.model.choosing import Request, choose
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network, rotary
from autogaze.training.batches import PROCESSOR
from autogaze.training.forcing import Pairs, pairs_of, places, read, taken_before, wanted_rows
from autogaze.training.probe import SIDE, Head
from autogaze.training.text_scenes import Scene

SLOTS = 30
"""Tokens of a list; those that show no line end it."""
ASTRAY = 0.3
"""Share of the lists with a few wrong tokens, as the network's own will have."""
HEAT = 0.15
"""Temperature of a slot's target, of the best gain."""
LOSSES = 50.0
"""Weight of the squared error of the predicted loss."""
LISTS = (20, 10, 10)
"""Tokens of every frame of a clip on which another network is imitated."""
FRAMES, STILL = (1, 2, 1, 8), 0.5
"""Frames of a clip, step by step; share of the clips that stand still."""
RARE = -4.0
"""What the heads begin with: few tokens show text."""


class Lists(NamedTuple):
    """What a decoder is to write: tokens long (B, N); wanted float (B, N, 266), what each slot should say, zero where
    nothing is left; left float (B, N), the loss before each slot."""

    tokens: Tensor
    wanted: Tensor
    left: Tensor


def lists(gains: Tensor, count: int, generator: torch.Generator) -> Lists:
    """Lists by gains, float (B, 265): the best first, in their order; some of them astray."""
    B, K = gains.shape
    noise = torch.rand(gains.shape, generator=generator, device=gains.device)
    stray = torch.rand(B, 1, generator=generator, device=gains.device) < ASTRAY
    rank = torch.arange(K, device=gains.device) * 1e-7
    key = torch.where(gains > 0, gains - rank, noise * 1e-5) + (stray & (noise > 0.99)) * noise
    tokens = key.topk(count).indices
    before = taken_before(tokens, (count,), K)[..., :-1]
    left = gains[:, None] * ~before
    best = left.amax(-1, keepdim=True).clamp(min=1e-12)
    heat = (left / best / HEAT).masked_fill(left <= 0, -torch.inf)
    wanted = F.pad(heat.softmax(-1).nan_to_num(0.0), (0, 1))
    return Lists(tokens, wanted, left.sum(-1))


class Learner(nn.Module):
    """A network and its two heads."""

    def __init__(self, network: Network, config: AutoGazeConfig) -> None:
        super().__init__()
        self.network, self.config = network, config
        self.head = Head(config.hidden_size)
        self.inner = nn.Linear(config.hidden_size, len(SCALES))
        for layer in (self.head[-1], self.inner):
            assert isinstance(layer.bias, Tensor)
            nn.init.constant_(layer.bias, RARE)
        self.plans = {frames: _Plan.of(config, frames) for frames in set(FRAMES)}

    def forward(self, scene: Scene, generator: torch.Generator, frames: int = 1) -> dict[str, Tensor]:
        """The losses of a batch of scenes, by name; `frames` of them, or one that stands still, are a clip."""
        scene = _clips(scene, frames, generator)
        device, config = scene.gains.device, self.config
        plan = self.plans[frames] = self.plans[frames].to(device)
        clips = len(scene.gains) // frames
        told = lists(scene.gains, SLOTS, generator)
        tokens, wanted, left = (part.view(clips, frames * SLOTS, *part.shape[2:]) for part in told)
        with torch.autocast(device.type, torch.bfloat16):
            video = PROCESSOR.from_unit(scene.pictures).view(clips, frames, *scene.pictures.shape[1:])
            features, _ = self.network.features(video)
            said = self.head(_squares(features))
            inner, hidden = self._decoded(features, tokens, plan)
            within = self.inner(inner.flatten(0, 1)).transpose(1, 2).unflatten(-1, (SIDE, SIDE))
            decoder = self.network.gaze_decoder
            logits = decoder.lm_head(hidden).unflatten(-1, (config.heads_ahead, -1))
            losses = decoder.task_loss_prediction_head(hidden).float()
        rows, heads, slots = plan.pairs.rows, plan.pairs.heads, plan.pairs.slots
        taken = taken_before(tokens, (SLOTS,) * frames, config.eos)[:, slots]
        log_p = logits[:, rows, heads].float().masked_fill(taken, -torch.inf).log_softmax(-1)
        wanted = wanted[:, slots]
        each = -(wanted * log_p.masked_fill(wanted == 0, 0.0)).sum(-1)
        return {
            "tokens": each.sum() / (wanted.sum() + 1),
            "left": LOSSES * (losses[:, rows, heads] - left[:, slots]).square().mean(),
            "map": _map_loss(said, scene),
            "inner": _map_loss(within, scene),
        }

    def _decoded(self, features: Tensor, tokens: Tensor, plan: "_Plan") -> tuple[Tensor, Tensor]:
        """Hidden states of the features before the last layer, and of each frame's last feature and slots."""
        body = self.network.gaze_decoder.model
        frames = features.shape[1]
        said = body.embed_tokens(tokens).to(features.dtype).unflatten(1, (frames, SLOTS))
        x = torch.cat([features, said], 2).flatten(1, 2)
        for layer in list(body.layers)[:-1]:
            x = layer(x, plan.cos.to(x.dtype), plan.sin.to(x.dtype), None)
        last = body.layers[-1](x, plan.cos.to(x.dtype), plan.sin.to(x.dtype), None, plan.rows)
        return x.view(len(x), frames, -1, x.shape[-1])[:, :, : self.config.features], body.norm(last)


class _Plan(NamedTuple):
    """What all clips of so many frames share: turns, the rows whose outcome is asked for, who speaks of which slot."""

    cos: Tensor
    sin: Tensor
    rows: Tensor
    pairs: Pairs

    @classmethod
    def of(cls, config: AutoGazeConfig, frames: int) -> "_Plan":
        none = torch.zeros(1, frames * SLOTS, dtype=torch.long)
        gaze = Gaze(none, (SLOTS,) * frames, none.bool())
        turns = rotary(places(gaze, config.features, config.heads_ahead)[0], config, torch.float32)
        rows = wanted_rows(gaze.per_frame, config.features, none.device)
        return cls(*turns, rows, pairs_of(gaze.per_frame, config.heads_ahead, dense=True))

    def to(self, device: torch.device) -> "_Plan":
        pairs = Pairs(*(part.to(device) for part in (self.pairs.rows, self.pairs.heads, self.pairs.slots)))
        return _Plan(self.cos.to(device), self.sin.to(device), self.rows.to(device), pairs)


def _clips(scene: Scene, frames: int, generator: torch.Generator) -> Scene:
    """The scenes as clips: of `frames` different ones, or of one that stands still."""
    device = scene.gains.device
    index = torch.arange(len(scene.gains), device=device).view(-1, frames)
    still = torch.rand(len(index), 1, generator=generator, device=device) < STILL
    index = torch.where(still, index[:, :1], index).flatten()
    return Scene(scene.pictures[index], scene.gains[index], scene.spare[index])


def _squares(features: Tensor) -> Tensor:
    """(B, T, 196, C) -> (B * T, C, 14, 14)."""
    return features.flatten(0, 1).transpose(1, 2).reshape(-1, features.shape[-1], SIDE, SIDE)


def _map_loss(logits: Tensor, scene: Scene) -> Tensor:
    """Cross-entropy of the tokens that show lines, of logits (B, 4, 14, 14)."""
    said = _tokens(logits.float())
    each = F.binary_cross_entropy_with_logits(said, (scene.gains > 0).float(), reduction="none")
    return 20 * (each * ~scene.spare).mean()


def _tokens(logits: Tensor) -> Tensor:
    """(B, 4, 14, 14) -> (B, 265), each token the best of its patches."""
    return torch.cat(
        [F.adaptive_max_pool2d(logits[:, s], side).flatten(1) for s, side in enumerate(grid_sides())], 1
    )


def imitation(network: Network, old: Network, config: AutoGazeConfig, clips: Tensor) -> Tensor:
    """Divergence from `old`'s choices on clips, float (B, T, 3, 224, 224) in [0, 1], along the lists it writes."""
    with torch.autocast(clips.device.type, torch.bfloat16):
        video = PROCESSOR.from_unit(clips)
        with torch.no_grad():
            gaze, wanted = _written(old, config, old.features(video)[0])
        said = read(network, config, network.features(video)[0], gaze).logits.log_softmax(-1)
    each = wanted.exp() * (wanted - said).masked_fill(wanted.isinf() | said.isinf(), 0.0)
    return each.sum(-1).mean()


def _written(old: Network, config: AutoGazeConfig, features: Tensor) -> tuple[Gaze, Tensor]:
    """The lists that a network writes, `LISTS` tokens a frame, and its log-probabilities at every slot."""
    B, ahead, device = len(features), config.heads_ahead, features.device
    tokens = torch.zeros(B, 0, dtype=torch.long, device=device)
    counts: tuple[int, ...] = ()
    for t, count in enumerate(LISTS):
        blocked = torch.zeros(B, config.eos + 1, dtype=torch.bool, device=device)
        blocked[:, config.eos] = True
        counts = (*counts, 0)
        for start in range(0, count, ahead):
            counts = (*counts[:-1], counts[-1] + ahead)
            room = torch.cat([tokens, tokens.new_zeros(B, ahead)], 1)
            padded = torch.arange(room.shape[1], device=device) >= tokens.shape[1]
            scores = read(old, config, features[:, : t + 1], Gaze(room, counts, padded.expand(B, -1)))
            group, _ = choose(scores.logits[:, -ahead:], scores.losses, blocked, start == 0, Request(count))
            tokens = torch.cat([tokens, group + config.eos * t], 1)
    gaze = Gaze(tokens, counts, torch.zeros_like(tokens, dtype=torch.bool))
    return gaze, read(old, config, features, gaze).logits.log_softmax(-1)
