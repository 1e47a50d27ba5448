"""Reading and writing checkpoints: a local folder or a hub repository, and strict about every tensor."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn


class CheckpointError(ValueError):
    """A checkpoint that is missing or does not fit the model; the message lists what is wrong."""


def find_file(source: str | Path, name: str, revision: str | None = None) -> Path:
    """The path of file `name` in `source`, a folder or a hub id `owner/name` (fetched once, then in its cache).

    Raises CheckpointError when the folder lacks the file, or the hub has no such file or cannot be reached.
    """
    folder = Path(source)
    if folder.is_dir():
        if not (folder / name).is_file():
            raise CheckpointError(f"checkpoint {folder}: no file {name} in this folder")
        return folder / name
    parts = str(source).split("/")
    if len(parts) != 2 or not all(parts):
        raise CheckpointError(f"checkpoint {source!r}: neither an existing folder nor a hub id owner/name")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(str(source), name, revision=revision))
    except Exception as error:  # the hub client raises a dozen types; one line is what the reader needs
        reason = str(error).splitlines()[0].rstrip(".")
        raise CheckpointError(
            f"checkpoint {source}: cannot get {name} from the hub ({reason}); "
            "without a network, name a local folder: autogaze.weights.bundled() is one"
        ) from error


def read_config(source: str | Path, revision: str | None = None) -> dict[str, Any]:
    """A checkpoint's config.json as it is. Raises CheckpointError when it cannot be had or is no JSON object."""
    return json_object(find_file(source, "config.json", revision))


def json_object(path: Path) -> dict[str, Any]:
    """A checkpoint's JSON file. Raises CheckpointError naming it where it holds no object."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise CheckpointError(f"checkpoint {path}: no text in UTF-8 ({error})") from error
    except ValueError as error:
        raise CheckpointError(f"checkpoint {path}: not valid JSON ({error})") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"checkpoint {path}: a JSON object is expected")
    return data


def fingerprint(source: str | Path, revision: str | None = None) -> str:
    """The first 16 hex digits of the weights' SHA-256: what tells two checkpoints of one name apart.

    Raises CheckpointError like `find_file`.
    """
    with find_file(source, "model.safetensors", revision).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def load_strict(model: nn.Module, path: str | Path, tensors: Mapping[str, Tensor] | None = None) -> None:
    """Copy into `model` the tensors of a safetensors file, or these that were read from `path`: all of them, by name.

    Raises CheckpointError listing every missing, surplus and mis-shaped tensor; `model` is then unchanged.
    """
    from safetensors.torch import load_file

    tensors = load_file(str(path)) if tensors is None else tensors
    problems = differences(model.state_dict(), tensors)
    if problems:
        raise CheckpointError(f"checkpoint {path}: does not fit the model\n  " + "\n  ".join(problems))
    model.load_state_dict(tensors)


def save_tensors(tensors: dict[str, Tensor], path: str | Path, kind: str | None = "pt") -> None:
    """Write a safetensors file. kind: what it says its tensors are of; transformers reads "pt" alone."""
    from safetensors.torch import save_file

    save_file(tensors, str(path), metadata={"format": kind} if kind else None)
    open_to_others(Path(path))


def open_to_others(path: Path) -> None:
    """Give a file the mode that the process gives to new ones: safetensors' own is for its owner alone (0600)."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def differences(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """One line for every tensor that is not as the model has it."""
    shared = sorted(own.keys() & given.keys())
    return [
        *(f"missing: {name} {tuple(own[name].shape)}" for name in sorted(own.keys() - given.keys())),
        *(f"surplus: {name} {tuple(given[name].shape)}" for name in sorted(given.keys() - own.keys())),
        *(
            f"shape of {name}: {tuple(given[name].shape)}, the model has {tuple(own[name].shape)}"
            for name in shared
            if own[name].shape != given[name].shape
        ),
    ]
