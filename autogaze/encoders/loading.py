"""Reading vision towers out of Hugging Face checkpoints, one file or sharded; strict about every tensor."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from autogaze.model.checkpoint import CheckpointError, differences, find_file

TOWER = "vision_model."
# A whole SigLIP holds these besides its vision tower; the pooling head plays no part in per-patch features. A tower
# saved alone by transformers 5 has lost the prefix `vision_model.`.
BESIDES = ("text_model.", "logit_scale", "logit_bias", "vision_model.head.", "head.")
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def read_config(source: str | Path, revision: str | None = None) -> dict[str, Any]:
    """The checkpoint's config.json. Raises CheckpointError when it cannot be had or is no JSON object."""
    path = find_file(source, "config.json", revision)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"checkpoint {path}: not valid JSON ({error})") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"checkpoint {path}: a JSON object is expected")
    return config


def load_tower(
    model: nn.Module, source: str | Path, revision: str | None = None, besides: Sequence[str] = BESIDES
) -> None:
    """Copy a checkpoint's tensors into `model`, all of them by name except those that start with `besides`.

    Raises CheckpointError listing every tensor missing, surplus or of another shape; `model` is then
    unchanged.
    """
    tensors = _within_tower(read_tensors(source, revision, besides), model)
    problems = differences(model.state_dict(), tensors)
    if problems:
        raise CheckpointError(f"checkpoint {source}: does not fit the model\n  " + "\n  ".join(problems))
    model.load_state_dict(tensors)


def _within_tower(tensors: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The tensors with the tower's prefix where the model's names all have it and the checkpoint's none."""
    if not all(name.startswith(TOWER) for name in model.state_dict()) or any(
        n.startswith(TOWER) for n in tensors
    ):
        return tensors
    return {TOWER + name: tensor for name, tensor in tensors.items()}


def read_tensors(
    source: str | Path, revision: str | None = None, besides: Sequence[str] = BESIDES
) -> dict[str, Tensor]:
    """All tensors of a checkpoint but those whose names start with one of `besides`."""
    from safetensors import safe_open

    tensors = {}
    for path in weight_files(source, revision):
        with safe_open(str(path), "pt") as file:
            for name in file.keys():  # noqa: SIM118  the file is no mapping
                if not name.startswith(tuple(besides)):
                    tensors[name] = file.get_tensor(name)
    return tensors


def weight_files(source: str | Path, revision: str | None = None) -> list[Path]:
    """The safetensors of a checkpoint: the one file, or the shards that its index lists."""
    try:
        return [find_file(source, WEIGHTS, revision)]
    except CheckpointError as single:
        try:
            index = find_file(source, INDEX, revision)
        except CheckpointError:
            raise single from None
    shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    return [find_file(source, shard, revision) for shard in shards]
