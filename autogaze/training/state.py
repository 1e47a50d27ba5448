"""A run's newest state: written in one move, and taken up again only by a run with the same settings."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from autogaze.training.config import TrainingError
from hlvid.files import whole


def resume(
    path: Path, key: Any, model: nn.Module, optimizer: torch.optim.Optimizer, device: str = "cpu"
) -> int:
    """Load the state at `path` into both; the step to go on with, 0 where there is no state.

    key: what shapes the weights, as JSON values. Raises TrainingError where the state was written under another.
    """
    if not path.is_file():
        return 0
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if state["key"] != key:
        raise TrainingError(
            f"{path.parent}: holds a run with other settings ({state['key']}, this is {key}); "
            "name another --out, or remove the folder"
        )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def write(path: Path, key: Any, model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Replace the newest state in one move."""
    state = {"key": key, "step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
    with whole(path) as fresh:
        torch.save(state, fresh)
