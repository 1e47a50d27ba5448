"""Teach the whole gaze to read: trunk, decoder and predicted loss at once, on composed scenes, in a given time.

Example::

    made = learn(AutoGaze.from_pretrained(bundled()), Path("runs/reads"), seconds=240, device="cuda")

What is taught is the objective `text` where the lines are known: the decoder lists the tokens that show lines readably,
cheapest first; the predicted loss is what is left unread, `LINE` a line, from before the first token on, so that a tile
without text is done at once. Two heads that look for the same tokens, one on the trunk's features (`probe.Headed` is a
gaze by it) and one before the decoder's last layer, say what to see. On grounds without text the decoder goes on as the
model it came from: every few steps it imitates that one's choices on short clips.

The rate falls with time, so a run ends when it is told to; weights and metrics are written every half minute.
"""

import json
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.pool import IMapIterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from autogaze.gaze import SCALES, Gaze, grid_sides
from autogaze.model.autogaze import AutoGaze
from autogaze.model.choosing import Request, choose
from autogaze.model.config import AutoGazeConfig
from autogaze.model.network import Network, rotary
from autogaze.training.batches import PROCESSOR
from autogaze.training.forcing import pairs_of, places, read, taken_before
from autogaze.training.probe import SIDE, Head
from autogaze.training.schedule import rate
from autogaze.training.text_scenes import Scene, Scenes
from autogaze.training.text_strips import strips
from autogaze.training.text_supply import Ahead, grounds, opened, waiting

RATE = 1e-3
SLOTS = 24
"""Tokens of a list; those that show no line end it."""
ASTRAY = 0.3
"""Share of the lists with a few wrong tokens, as the network's own will have."""
HEAT = 0.15
"""Temperature of a slot's target, of the best gain."""
LOSSES = 50.0
"""Weight of the squared error of the predicted loss."""
IMITATE, CLIPS, LISTS = 4, 6, (20, 10, 10)
"""Every so many steps, one clip for so many tiles of a batch, with so many tokens a frame."""
RARE = -4.0
"""What the heads begin with: few tokens show text."""
SAVE, SUPPLY, MOST = 30.0, 2.0, 12_000
"""Seconds between two saves, and between two looks for new grounds; grounds at most."""


@dataclass(frozen=True)
class Lists:
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
        gaze = Gaze(
            torch.zeros(1, SLOTS, dtype=torch.long), (SLOTS,), torch.zeros(1, SLOTS, dtype=torch.bool)
        )
        turns = rotary(places(gaze, config.features, config.heads_ahead)[0], config, torch.float32)
        pairs = pairs_of((SLOTS,), config.heads_ahead, dense=True)
        for name, part in zip(
            ("cos", "sin", "rows", "heads", "slots"),
            (*turns, pairs.rows, pairs.heads, pairs.slots),
            strict=True,
        ):
            self.register_buffer(name, part, persistent=False)

    def forward(self, scene: Scene, generator: torch.Generator) -> dict[str, Tensor]:
        """The losses of a batch of scenes, by name."""
        device, config = scene.gains.device, self.config
        told = lists(scene.gains, SLOTS, generator)
        with torch.autocast(device.type, torch.bfloat16):
            features = self.network.features(PROCESSOR.from_unit(scene.pictures[:, None]))[0][:, 0]
            shape = (len(features), -1, SIDE, SIDE)
            said = self.head(features.transpose(1, 2).reshape(shape))
            inner, hidden = self._decoded(features, told.tokens)
            within = self.inner(inner).transpose(1, 2).reshape(shape)
            decoder = self.network.gaze_decoder
            logits = decoder.lm_head(hidden).unflatten(-1, (config.heads_ahead, -1))
            losses = decoder.task_loss_prediction_head(hidden).float()
        rows, heads, slots = (self.get_buffer(name) for name in ("rows", "heads", "slots"))
        taken = taken_before(told.tokens, (SLOTS,), config.eos)[:, slots]
        log_p = logits[:, rows, heads].float().masked_fill(taken, -torch.inf).log_softmax(-1)
        wanted = told.wanted[:, slots]
        each = -(wanted * log_p.masked_fill(wanted == 0, 0.0)).sum(-1)
        error = (losses[:, rows, heads] - told.left[:, slots]).square().mean()
        return {
            "tokens": each.sum() / (wanted.sum() + 1),
            "left": LOSSES * error,
            "map": _map_loss(said, scene),
            "inner": _map_loss(within, scene),
        }

    def _decoded(self, features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of the features before the last layer, and of the last feature and the slots after it."""
        body = self.network.gaze_decoder.model
        x = torch.cat([features, body.embed_tokens(tokens).to(features.dtype)], 1)
        cos, sin = (self.get_buffer(name).to(x.dtype) for name in ("cos", "sin"))
        for layer in list(body.layers)[:-1]:
            x = layer(x, cos, sin, None)
        first = self.config.features
        rows = torch.arange(first - 1, first + SLOTS, device=x.device)
        return x[:, :first], body.norm(body.layers[-1](x, cos, sin, None, rows))


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


def learn(
    model: AutoGaze,
    out: Path,
    seconds: float,
    device: str = "cpu",
    batch: int = 512,
    seed: int = 0,
    recorded: Path | None = None,
    workers: int = 6,
    words: int = 4096,
) -> dict[str, Any]:
    """Teach `model` for `seconds` of wall clock, the making of grounds and lines included; returns the last figures.

    recorded: a zip file of JPEG squares without text, of real recordings, that join the generated grounds.
    Writes model/, head/ (as `probe.Headed` reads it, beside trunk/) and metrics.jsonl into `out`.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    model.requires_grad_(True).train()
    out.mkdir(parents=True, exist_ok=True)
    context = get_context("fork")
    with context.Pool(workers) as pool:
        seeds = range(seed * 1_000_000, (seed + 1) * 1_000_000, 16)
        made = pool.imap_unordered(grounds, seeds)
        first = [opened(recorded)] if recorded else []
        lines = strips(words, seed)
        first += [next(made) for _ in range(8)]
        scenes = Scenes(torch.from_numpy(np.concatenate(first)), lines, device)
        learner = Learner(model.gazing_model, model.config).to(device)
        old = Network(model.config)
        old.load_state_dict(model.gazing_model.state_dict())
        old.to(device).requires_grad_(False)
        run = _Run(model, learner, old, scenes, out, seed, start, seconds)
        figures = run.steps(batch, made)
        pool.terminate()
    return figures


@dataclass
class _Run:
    """One run under way."""

    model: AutoGaze
    learner: Learner
    old: Network
    scenes: Scenes
    out: Path
    seed: int
    start: float
    seconds: float

    def steps(self, batch: int, made: "IMapIterator[NDArray[np.uint8]]") -> dict[str, Any]:
        """Steps until the time is over."""
        optimizer = torch.optim.AdamW(
            self.learner.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01
        )
        device = self.scenes.device
        generator = torch.Generator(device).manual_seed(self.seed)
        ahead = Ahead(self.scenes, self.seed, batch)
        begin = saved = looked = time.perf_counter()
        step, figures = 0, {}
        log = (self.out / "metrics.jsonl").open("a")
        while (now := time.perf_counter()) - self.start < self.seconds - 3:
            share = (now - begin) / (self.seconds - 3 - (begin - self.start))
            for group in optimizer.param_groups:
                group["lr"] = rate(int(share * 1000), 1000, RATE, 30, "cosine")
            losses = self.learner(self.scenes.composed(*ahead.next()), generator)
            if step % IMITATE == 0:
                count = max(2, batch // CLIPS // len(LISTS))
                clips = self.scenes.ground(generator, count, shift=12, frames=len(LISTS))
                losses["imitation"] = imitation(
                    self.learner.network,
                    self.old,
                    self.model.config,
                    clips.view(count, len(LISTS), *clips.shape[1:]),
                )
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
            optimizer.step()
            if step % 30 == 0:
                figures = {name: round(value.item(), 4) for name, value in losses.items()}
                figures |= {"step": step, "tiles": step * batch, "seconds": round(now - self.start, 1)}
                figures["grounds"] = len(self.scenes.grounds)
                log.write(json.dumps(figures) + "\n")
                log.flush()
                print(figures, flush=True)
            if now - looked > SUPPLY and len(self.scenes.grounds) < MOST and (fresh := waiting(made)):
                self.scenes.add(torch.from_numpy(np.concatenate(fresh)))
                looked = now
            if now - saved > SAVE:
                self.save()
                saved = time.perf_counter()
            step += 1
        ahead.stop()
        log.close()
        self.save()
        return figures

    def save(self) -> None:
        """Model and head, as they are."""
        self.model.save_pretrained(self.out / "model")
        self.model.save_pretrained(self.out / "head" / "trunk")
        weights = {
            name: part.detach().cpu().contiguous() for name, part in self.learner.head.state_dict().items()
        }
        save_file(weights, str(self.out / "head" / "model.safetensors"))
