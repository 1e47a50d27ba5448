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

import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.pool import IMapIterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from autogaze.model.autogaze import AutoGaze
from autogaze.model.checkpoint import save_tensors
from autogaze.model.network import Network
from autogaze.training.config import TrainingError
from autogaze.training.schedule import rate
from autogaze.training.text_learner import FRAMES, LISTS, Learner, imitation
from autogaze.training.text_scenes import Scenes
from autogaze.training.text_strips import strips
from autogaze.training.text_supply import Ahead, grounds, opened, waiting
from autogaze.training.trail import Trail

RATE = 1e-3
IMITATE, CLIPS = 4, 6
"""Every so many steps, one clip for so many tiles of a batch."""
LOG = 30
"""Steps between two entries of metrics.jsonl; each waits for the device."""
SAVE, SUPPLY, MOST = 30.0, 2.0, 12_000
"""Seconds between two saves, and between two looks for new grounds; grounds at most."""


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
) -> dict[str, float]:
    """Teach `model` for `seconds` of wall clock, the making of grounds and lines included; returns the last figures.

    recorded: a zip file of JPEG squares without text, of real recordings, that join the generated grounds.
    Raises TrainingError for a batch that clips do not divide.
    Writes model/, head/ (as `probe.Headed` reads it, beside trunk/) and metrics.jsonl into `out`.
    """
    start = time.perf_counter()
    if batch % max(FRAMES):
        raise TrainingError(
            f"batch: {batch}; give a multiple of {max(FRAMES)}, the frames of the longest clips"
        )
    torch.manual_seed(seed)
    model.requires_grad_(True).train()
    out.mkdir(parents=True, exist_ok=True)
    context = get_context("fork")
    with context.Pool(workers) as pool:
        seeds = range(seed * 1_000_000, (seed + 1) * 1_000_000, 16)
        made = pool.imap_unordered(grounds, seeds)
        first = [opened(recorded)] if recorded else []
        lines = strips(words, seed)
        first += [next(made) for _ in range(2)]
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

    def steps(self, batch: int, made: "IMapIterator[NDArray[np.uint8]]") -> dict[str, float]:
        """Steps until the time is over."""
        optimizer = torch.optim.AdamW(
            self.learner.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01
        )
        device = self.scenes.device
        generator = torch.Generator(device).manual_seed(self.seed)
        ahead = Ahead(self.scenes, self.seed, batch)
        begin = saved = looked = time.perf_counter()
        step = 0
        figures: dict[str, float] = {}
        trail = Trail(self.out, 0)
        while (now := time.perf_counter()) - self.start < self.seconds - 3:
            share = (now - begin) / (self.seconds - 3 - (begin - self.start))
            for group in optimizer.param_groups:
                group["lr"] = rate(int(share * 1000), 1000, RATE, 30, "cosine")
            frames = FRAMES[step % len(FRAMES)]
            losses = self.learner(self.scenes.composed(*ahead.next()), generator, frames)
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
            if step % LOG == 0:
                figures = {name: value.item() for name, value in losses.items()}
                figures |= {"tiles": step * batch, "seconds": now - self.start}
                trail.step(step, figures | {"grounds": len(self.scenes.grounds)})
            if now - looked > SUPPLY and len(self.scenes.grounds) < MOST and (fresh := waiting(made)):
                self.scenes.add(torch.from_numpy(np.concatenate(fresh)))
                looked = now
            if now - saved > SAVE:
                self.save()
                saved = time.perf_counter()
            step += 1
        ahead.stop()
        trail.close()
        self.save()
        return figures

    def save(self) -> None:
        """Model and head, as they are."""
        self.model.save_pretrained(self.out / "model")
        self.model.save_pretrained(self.out / "head" / "trunk")
        weights = {
            name: part.detach().cpu().contiguous() for name, part in self.learner.head.state_dict().items()
        }
        save_tensors(weights, self.out / "head" / "model.safetensors")
