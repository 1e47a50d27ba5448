"""Train the learned reconstructor on labelled clips: resumable, by seed and step alone, within a time limit.

Example::

    hlvid train reconstructor --labels labels/train --validation labels/val --out runs/reconstructor --steps 4000

    runs/reconstructor/state.pt            newest step: weights, optimiser, step
    runs/reconstructor/metrics.jsonl       loss of the model and of paste, step by step
    runs/reconstructor/model/              half-precision checkpoint, written at the end of every call
    runs/reconstructor/comparison.json     held-out loss against paste, by kind of gaze and ratio

Each step paints one frame of a few clips from a gaze up to it: of the greedy labels, or at random, at the mixed
ratios of the labels. L1 on normalised pixels.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.reconstruction.paste import rebuild
from autogaze.training.labels import LabelError, LabelledClip, LabelSet
from autogaze.training.reconstructor import SMALL, Reconstructor, judge
from autogaze.training.schedule import frame_budgets, rate

TOKENS = 265
RATIOS = (0.02, 0.05, 0.1, 0.2)
RANDOM_SHARE = 0.5
"""Of the training gazes; the others are greedy labels, and what a trained gaze will look like."""


@dataclass(frozen=True)
class Plan:
    """What decides about the weights.

    batch: clips a step. frames: the frame painted is one of a clip's first so many. rate: of AdamW.
    """

    steps: int = 4000
    batch: int = 8
    frames: int = 8
    rate: float = 3e-4
    warmup: int = 50
    seed: int = 0


def train(
    labels: LabelSet, out: Path, plan: Plan, model: Reconstructor | None = None, minutes: float | None = None
) -> Reconstructor:
    """Train or resume; stops early, resumably, after `minutes`.

    model: what to start from at step 0. Raises LabelError where `out` holds a run of another plan.
    """
    model = Reconstructor.fresh(SMALL, plan.seed) if model is None else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.rate, betas=(0.95, 0.99), weight_decay=0.01)
    begin, start = _resume(out, plan, model, optimizer), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    model.train()
    done = begin
    with (out / "metrics.jsonl").open("a", encoding="utf-8") as log:
        while done < plan.steps and (minutes is None or time.monotonic() - start < 60 * minutes):
            figures = _step(labels, plan, model, optimizer, done)
            done += 1
            log.write(json.dumps({"step": done, **figures}) + "\n")
            if done % 50 == 0:
                log.flush()
                _keep(out, plan, model, optimizer, done)
    _keep(out, plan, model, optimizer, done)
    model.save_pretrained(out / "model")
    return model.eval()


def draw_batch(labels: LabelSet, plan: Plan, step: int) -> tuple[Tensor, Gaze]:
    """Clips up to the frame to paint, float (B, t + 1, 3, 224, 224) normalised, and their gazes."""
    draw = np.random.default_rng([plan.seed, 7, step])
    clips = [labels[int(index)] for index in draw.choice(len(labels), plan.batch)]
    last = int(draw.integers(0, min(plan.frames, *(len(clip.frames) for clip in clips))))
    masks = torch.zeros(plan.batch, last + 1, TOKENS, dtype=torch.bool)
    for b, clip in enumerate(clips):
        order = random_order(clip, draw) if draw.random() < RANDOM_SHARE else clip.order
        for t in range(last + 1):
            masks[b, t, list(order[t])] = True
    video = torch.stack([clip.frames[: last + 1] for clip in clips]).float() / 127.5 - 1
    return video, Gaze.from_masks(masks)


def random_order(clip: LabelledClip, draw: np.random.Generator) -> list[list[int]]:
    """Tokens at random, as many as labels would have."""
    budgets = frame_budgets(len(clip.frames), draw)
    return [draw.permutation(TOKENS)[:count].tolist() for count in budgets]


@torch.no_grad()
def compare(model: Reconstructor, labels: LabelSet, seed: int = 0) -> dict[str, dict[str, float]]:
    """Mean held-out loss of the model and of paste with memory, by kind of gaze: "random 0.1", "greedy", ..."""
    loss_of = judge(model.eval())
    sums: dict[str, list[tuple[float, float]]] = {}
    for index, clip in enumerate(labels):
        video = clip.frames[None].float() / 255
        for name, masks in _gazes(clip, np.random.default_rng([seed, 8, index])).items():
            gaze = Gaze.from_masks(masks[None])
            pasted = (rebuild(video, gaze, memory=True) - video).abs().mean() * 2
            sums.setdefault(name, []).append((float(loss_of(video, gaze).mean()), float(pasted)))
    means = {name: np.mean(pairs, 0) for name, pairs in sums.items()}
    return {
        name: {"model": float(mean[0]), "paste": float(mean[1]), "clips": len(sums[name])}
        for name, mean in means.items()
    }


def _gazes(clip: LabelledClip, draw: np.random.Generator) -> dict[str, Tensor]:
    """Masks (T, 265) to compare on."""
    masks = {"greedy labels": torch.zeros(len(clip.frames), TOKENS, dtype=torch.bool)}
    for t, order in enumerate(clip.order):
        masks["greedy labels"][t, list(order)] = True
    for ratio in RATIOS:
        ranks = torch.from_numpy(draw.random((len(clip.frames), TOKENS)).argsort(1).argsort(1))
        masks[f"random {ratio:g}"] = ranks < max(1, int(ratio * TOKENS))
    return masks


def _step(
    labels: LabelSet, plan: Plan, model: Reconstructor, optimizer: torch.optim.Optimizer, step: int
) -> dict[str, float]:
    for group in optimizer.param_groups:
        group["lr"] = rate(step, plan.steps, plan.rate, plan.warmup, "cosine")
    video, gaze = draw_batch(labels, plan, step)
    last = gaze.frames - 1
    pasted, added = model.parts(video, gaze, [last])
    loss = (pasted + added - video[:, last:]).abs().mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return {"loss": loss.item(), "paste": float((pasted - video[:, last:]).abs().mean())}


def _resume(out: Path, plan: Plan, model: Reconstructor, optimizer: torch.optim.Optimizer) -> int:
    """The step to go on from."""
    path = out / "state.pt"
    if not path.exists():
        return 0
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state["plan"] != asdict(plan):
        raise LabelError(f"{path}: a run of another plan ({state['plan']}); give that one or another folder")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    _cut_log(out / "metrics.jsonl", int(state["step"]))
    return int(state["step"])


def _cut_log(path: Path, step: int) -> None:
    """Forget the lines of steps that are about to be repeated, and a torn one."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.write_text("".join(line + "\n" for line in lines[:step]), encoding="utf-8")


def _keep(out: Path, plan: Plan, model: Reconstructor, optimizer: torch.optim.Optimizer, step: int) -> None:
    half = out / "state.part"
    state = {
        "plan": asdict(plan),
        "step": step,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state, half)
    os.replace(half, out / "state.pt")  # noqa: PTH105  the same call on every system
