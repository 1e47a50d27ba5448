"""The training loop: steps, checkpoints to resume from, metrics, validation. `run` knows nothing of labels or rewards.

What a run leaves in its folder::

    state.pt           the newest step: weights, optimiser, step number
    metrics.jsonl      one line a step
    validation.jsonl   one line a look: loss at each gazing ratio
    pictures/          one picture a look: where the model gazes
    model/             the finished checkpoint, as `AutoGaze.from_pretrained` reads it

Killed at any moment, the same call goes on from the newest state and ends with the same weights, bit for bit:
nothing random is carried from step to step, and files are replaced, never half written.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.training import state
from autogaze.training.batches import PROCESSOR
from autogaze.training.config import RunConfig, TrainConfig, TrainingError
from autogaze.training.grpo import GrpoStage
from autogaze.training.initial import fresh
from autogaze.training.labels import LabelSet
from autogaze.training.looks import Look
from autogaze.training.muon import Muon
from autogaze.training.ntp import NtpStage
from autogaze.training.processes import Team, processes
from autogaze.training.schedule import rate
from autogaze.training.trail import Trail
from hlvid.files import write_json

STAGES: dict[str, type[NtpStage] | type[GrpoStage]] = {"ntp": NtpStage, "grpo": GrpoStage}
Model = TypeVar("Model", bound=nn.Module, contravariant=True)


def train(config: TrainConfig, stop_after: int | None = None) -> AutoGaze:
    """Run the configured stage to its end, or resume it; returns the trained model in evaluation mode.

    stop_after: leave after this many steps of this call, as if killed right after writing a state.
    Raises TrainingError where labels, the initial checkpoint or the run's folder do not fit.
    """
    with processes(config.device) as team:
        config = config.model_copy(update={"device": team.device})
        model = _start(config).to(team.device)
        kind, look = STAGES[config.stage], Look.of(config) if team.leads else None
        stage = kind(LabelSet(config.labels), config, team.rank, team.world)
        run(model, partial(stage, model.gazing_model, model.config), look, config, team, stop_after)
        if team.leads:
            save(model, config.out / "model")
        team.wait()
    return model.eval()


def save(model: AutoGaze, folder: Path) -> None:
    """Write a checkpoint folder: config.json, model.safetensors, preprocessor_config.json."""
    model.save_pretrained(folder)
    PROCESSOR.save_pretrained(folder)


def _start(config: TrainConfig) -> AutoGaze:
    """The weights of step 0."""
    if config.init is None:
        return fresh(AutoGazeConfig(), config.seed)
    if not config.init.is_dir():
        raise TrainingError(f"init {config.init}: no such folder; train the stage before, or leave init out")
    return AutoGaze.from_pretrained(config.init).train()


def _optimizer(model: nn.Module, config: RunConfig) -> torch.optim.Optimizer:
    settings = config.optimizer
    if settings.kind == "muon":
        return Muon.of(model, settings)
    kind = torch.optim.AdamW if settings.kind == "adamw" else torch.optim.Adam
    return kind(
        model.parameters(), lr=settings.rate, betas=settings.betas, weight_decay=settings.weight_decay
    )


Learn = Callable[[int, np.random.Generator], tuple[Tensor, Mapping[str, float]]]
"""Loss and figures of a micro-step; all chance comes from the generator."""


class Looks(Protocol[Model]):
    """What a validation finds, and a picture for people where there is something to see."""

    def judge(self, model: Model, /) -> Mapping[str, float]: ...

    def picture(self, model: Model, /) -> NDArray[np.uint8] | None: ...


def run(
    model: Model,
    learn: Learn,
    look: Looks[Model] | None,
    config: RunConfig,
    team: Team,
    stop_after: int | None = None,
) -> None:
    """Steps from the newest state to the last one, of any model that `learn` gives a loss of."""
    optimizer = _optimizer(model, config)
    newest, key = config.out / "state.pt", config.own_key()
    begin = state.resume(newest, key, model, optimizer, config.device)
    trail = Trail(config.out, begin) if team.leads else None
    end = config.steps if stop_after is None else min(config.steps, begin + stop_after)
    if trail and look and begin == 0:
        _look(look, model, 0, trail)
    for step in range(begin, end):
        start = time.perf_counter()
        figures = _step(model, optimizer, learn, step, config, team)
        done = step + 1
        if trail:
            trail.step(step, {**figures, "seconds": time.perf_counter() - start})
            if look and (done % config.validate_every == 0 or done == config.steps):
                _look(look, model, done, trail)
            if done % config.checkpoint_every == 0 or done == end:
                state.write(newest, key, model, optimizer, done)
                write_json(config.out / "config.json", config.model_dump(mode="json"))
    if trail:
        trail.close()


def _look(look: Looks[Model], model: Model, step: int, trail: Trail) -> None:
    trail.validation(step, look.judge(model))
    if (picture := look.picture(model)) is not None:
        trail.picture(step, picture)


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, learn: Learn, step: int, config: RunConfig, team: Team
) -> dict[str, float]:
    """One update from `accumulate` micro-steps; the figures to log."""
    settings = config.optimizer
    speed = rate(step, config.steps, settings.rate, settings.warmup, settings.shape)
    for group in optimizer.param_groups:
        group["lr"] = speed * group.get("share", 1.0)
    optimizer.zero_grad(set_to_none=True)
    figures: list[dict[str, float]] = []
    for part in range(config.accumulate):
        micro = step * config.accumulate + part
        draw = np.random.default_rng([config.seed, 2, micro, team.rank])
        loss, said = learn(micro, draw)
        if not bool(torch.isfinite(loss)):
            raise TrainingError(
                f"step {step}: the loss is {loss.item()}; lower optimizer.rate or set optimizer.clip"
            )
        (loss / config.accumulate).backward()  # type: ignore[no-untyped-call]
        figures.append({"loss": loss.item(), **said})
    team.average(model.parameters())
    limit = settings.clip if settings.clip is not None else float("inf")
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
    optimizer.step()
    names = list(figures[0])
    means = team.agree(torch.tensor([[one[name] for name in names] for one in figures]).mean(0))
    return {**dict(zip(names, means.tolist(), strict=True)), "gradient": norm.item(), "rate": speed}
