"""Who takes part in an evaluation: checkpoints, plain selectors and the greedy search, each as one function.

All get the same budget, `max(1, int(ratio * 265))` tokens in every frame.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.checks import budgets
from autogaze.gaze import grid_sides
from autogaze.model.autogaze import AutoGaze
from autogaze.model.config import AutoGazeConfig
from autogaze.selectors import get, names
from autogaze.training.batches import PROCESSOR
from autogaze.training.initial import fresh
from autogaze.training.judge import PasteTable

Choose = Callable[[Tensor, float], Tensor]
"""A clip, uint8 (T, 3, 224, 224), and a gazing ratio -> the tokens chosen, bool (1, T, 265)."""

HEURISTICS = ("random", "rgb_diff", "optical_flow", "centre", "detail", "coarse_first")


def heuristics() -> dict[str, Choose]:
    """The plain selectors of the paper's Fig. 10 and ours, as far as they are installed."""
    return {name: selector(name) for name in HEURISTICS if name in names()}


def selector(name: str) -> Choose:
    chosen = get(name)

    def choose(clip: Tensor, ratio: float) -> Tensor:
        return chosen.select(clip[None].float() / 255, ratio=ratio).masks()

    return choose


def checkpoint(folder: str | Path, heads: int | None = None) -> Choose:
    """A model, by folder; heads: how many tokens it writes a step, at most as many as it has heads."""
    model = AutoGaze.from_pretrained(folder)
    return network(model if heads is None else fewer_heads(model, heads))


def untrained(seed: int = 0) -> Choose:
    """The random weights that training starts from."""
    return network(fresh(AutoGazeConfig(), seed).eval())


def network(model: AutoGaze) -> Choose:
    def choose(clip: Tensor, ratio: float) -> Tensor:
        return model.gaze(PROCESSOR.pixels(clip)[None].to(model.device), ratio=ratio).masks().cpu()

    return choose


def greedy_finest(clip: Tensor, ratio: float) -> Tensor:
    """The exact search with the finest scale alone; its tokens do not overlap, so each step's gains stay.

    What a token gains is all the error that its cell has now: the finest scale shows pixels as they are.
    """
    side, tokens = grid_sides()[-1], 265
    table = PasteTable.of(clip[None].float() / 255)
    masks = torch.zeros(1, len(clip), tokens, dtype=torch.bool)
    for t, count in enumerate(budgets(ratio, len(clip), tokens)):
        error = F.adaptive_avg_pool2d(table.pictures(masks)[:, t], side).flatten()
        masks[0, t, tokens - side * side + error.topk(min(count, side * side)).indices] = True
    return masks


def fewer_heads(model: AutoGaze, heads: int) -> AutoGaze:
    """The same weights writing `heads` tokens a step; raises ValueError where it has not so many."""
    from dataclasses import replace

    config = model.config
    if not 1 <= heads <= config.heads_ahead:
        raise ValueError(f"heads={heads}: expected 1 to {config.heads_ahead}")
    small = AutoGaze(replace(config, heads_ahead=heads))
    tensors = model.state_dict()
    decoder = "gazing_model.gaze_decoder."
    tensors[decoder + "lm_head.weight"] = tensors[decoder + "lm_head.weight"][: heads * (config.eos + 1)]
    name = decoder + "task_loss_prediction_head.weight"
    tensors[name] = tensors[name][:heads]
    small.load_state_dict(tensors)
    return small.eval()
