"""Reading vision towers out of Hugging Face checkpoints, one file or sharded; strict about every tensor."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from autogaze.model.checkpoint import CheckpointError, find_file, json_object, load_strict

TOWER = "vision_model."
# A whole SigLIP holds these besides its vision tower; the pooling head plays no part in per-patch features. A tower
# saved alone by transformers 5 has lost the prefix `vision_model.`.
BESIDES = ("text_model.", "logit_scale", "logit_bias", "vision_model.head.", "head.")
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def load_tower(
    model: nn.Module, source: str | Path, revision: str | None = None, besides: Sequence[str] = BESIDES
) -> None:
    """`load_strict` of a checkpoint of one file or shards, but for the tensors whose names start with `besides`."""
    load_strict(model, source, _within_tower(read_tensors(source, revision, besides), model))


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
    shards = json_object(index).get("weight_map")
    if not isinstance(shards, dict):
        raise CheckpointError(f"checkpoint {index}: no weight_map; fetch the checkpoint again")
    return [find_file(source, shard, revision) for shard in sorted(set(shards.values()))]
