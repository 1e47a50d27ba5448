"""Which of the two ways a checkpoint is run, and which checkpoint it was.

Example::

    describe("made-by-us", None, "nvila_hd")                       # ("native", its config.json)
    describe("nvidia/NVILA-8B-HD-Video", None, "nvila_hd")         # ("native", what its conversion will have)
    weights("nvidia/NVILA-8B-HD-Video", None, None)                # the folder of its conversion, made once
    fingerprint("made-by-us", None)                                # {"files": "sha256:…"} or {"revision": "…"}
"""

import hashlib
from pathlib import Path
from typing import Any, Literal

from loguru import logger

from autogaze.model.checkpoint import CheckpointError, find_file
from autogaze.nvila.config import MODEL_TYPE, read_json
from hlvid.errors import RunError
from hlvid.files import locked
from hlvid.paths import state_root

Kind = Literal["native", "remote"]
_EDGE = 1 << 20


def describe(
    pretrained: str, revision: str | None, model: str, path: str = "auto", autogaze: str | None = None
) -> tuple[Kind, dict[str, Any]]:
    """The way, and the config.json that goes with it; a published checkpoint's is that of its conversion to come.

    path: "remote" to let a checkpoint's own code run. autogaze: the selector's weights, if given. Raises RunError when
    the checkpoint cannot be had, is of no kind, or cannot be converted.
    """
    if "/" not in pretrained and not Path(pretrained).is_dir():  # a hub id has an owner: owner/name
        raise RunError(
            f"{model}: pretrained={pretrained}: no such folder here; "
            f"run 'hlvid make-checkpoint --shape tiny --out {pretrained}' first, or name a checkpoint"
        )
    try:
        data = read_json(pretrained, revision)
        own = data.get("model_type") == MODEL_TYPE
        if path == "remote" and not own:
            return "remote", data
        if path == "remote":
            raise RunError(
                f"{model}: path is 'remote', but pretrained={pretrained} brings no code; leave it out"
            )
        return "native", data if own else _planned(pretrained, revision, autogaze).config.to_dict()
    except CheckpointError as error:
        raise RunError(f"{model}: pretrained: {error}") from error


def weights(pretrained: str, revision: str | None, autogaze: str | None) -> str:
    """Where tensors of our layout lie: the checkpoint itself, or its conversion in the state folder, made if need be.

    Raises CheckpointError when it cannot be converted.
    """
    from autogaze.nvila.convert.conversion import write

    if read_json(pretrained, revision).get("model_type") == MODEL_TYPE:
        return pretrained
    mark = hashlib.sha256(repr((fingerprint(pretrained, revision), autogaze)).encode()).hexdigest()[:12]
    folder = state_root() / "converted" / f"{Path(pretrained).name}-{mark}"
    with locked(folder.with_suffix(".lock")):  # processes on other GPUs wait for the first one
        if not (folder / "config.json").is_file():
            logger.info(f"{pretrained}: converting once into {folder}")
            write(_planned(pretrained, revision, autogaze), folder, logger.info)
    return str(folder)


def _planned(pretrained: str, revision: str | None, autogaze: str | None) -> Any:
    from autogaze.nvila.convert.conversion import plan_conversion
    from autogaze.nvila.convert.snapshot import Snapshot

    return plan_conversion(Snapshot.of(pretrained, revision), autogaze=autogaze)


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
