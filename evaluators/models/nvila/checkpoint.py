"""Which of the two ways a checkpoint is run, and which checkpoint it was.

Example::

    kind_of(read_json("nvidia/NVILA-8B-HD-Video"))     # "remote": its config names code of its own
    kind_of(read_json("made-by-us"))                   # "native"
    fingerprint("made-by-us", None)                    # {"files": "sha256:…"} or {"revision": "…"}
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from autogaze.model.checkpoint import CheckpointError, find_file
from autogaze.nvila.config import MODEL_TYPE, read_json
from hlvid.errors import RunError

Kind = Literal["native", "remote"]
_EDGE = 1 << 20


def describe(pretrained: str, revision: str | None, model: str) -> tuple[Kind, dict[str, Any]]:
    """The kind and the checkpoint's config.json. Raises RunError when it cannot be had or is of no kind."""
    if "/" not in pretrained and not Path(pretrained).is_dir():  # a hub id has an owner: owner/name
        raise RunError(
            f"{model}: pretrained={pretrained}: no such folder here; "
            f"run 'hlvid make-checkpoint --shape tiny --out {pretrained}' first, or name a checkpoint"
        )
    try:
        data = read_json(pretrained, revision)
    except CheckpointError as error:
        raise RunError(f"{model}: pretrained: {error}") from error
    return kind_of(data, pretrained, model), data


def kind_of(config: Mapping[str, Any], pretrained: str = "checkpoint", model: str = "nvila_hd") -> Kind:
    """`native` for our own layout, `remote` for a checkpoint that brings its code (`auto_map`)."""
    if config.get("model_type") == MODEL_TYPE:
        return "native"
    if config.get("auto_map"):
        return "remote"
    raise RunError(
        f"{model}: pretrained={pretrained}: config.json has model_type {config.get('model_type')!r} and no "
        f"auto_map; allowed: {MODEL_TYPE!r} (see 'hlvid make-checkpoint'), or a checkpoint with remote code"
    )


def fingerprint(pretrained: str, revision: str | None) -> dict[str, str]:
    """What pins the weights: the hub's revision, or a hash over a folder's names, sizes, first and last MiB.

    Reading 16 GB at every start would take a minute; replaced weights differ in their edges.
    """
    folder = Path(pretrained)
    if not folder.is_dir():
        # The cache keeps a file under snapshots/<commit>/.
        return {"revision": find_file(pretrained, "config.json", revision).parent.name}
    digest = hashlib.sha256()
    for path in sorted(
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder)}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_EDGE))
            file.seek(max(0, size - _EDGE))
            digest.update(file.read(_EDGE))
    return {"files": f"sha256:{digest.hexdigest()[:32]}"}
