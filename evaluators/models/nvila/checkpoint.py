"""Which of the two ways a checkpoint is run, and which checkpoint it was."""

from pathlib import Path
from typing import Any, Literal

from loguru import logger

from autogaze.model.checkpoint import CheckpointError, read_config
from autogaze.nvila.config import MODEL_TYPE
from evaluators.core.closure import code_of
from evaluators.core.identity import hash_of
from evaluators.core.weights import weigh
from hlvid.errors import RunError
from hlvid.files import locked
from hlvid.paths import state_root

Kind = Literal["native", "remote"]
CONVERT = "autogaze.nvila.convert.conversion"
"""What it and its neighbours wrote yesterday, tomorrow's may write otherwise."""


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
        data = read_config(pretrained, revision)
        own = data.get("model_type") == MODEL_TYPE
        if path == "remote" and not own:
            from autogaze.nvila.convert.snapshot import Snapshot

            named = Snapshot.of(pretrained, revision).json("processor_config.json").get("autogaze_model_id")
            return "remote", {**data, **({"autogaze": named} if named else {})}
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
    from autogaze.nvila.convert.conversion import MARK, claim, write

    if read_config(pretrained, revision).get("model_type") == MODEL_TYPE:
        return pretrained
    named = {"pretrained": (pretrained, revision), **({"autogaze": (autogaze, None)} if autogaze else {})}
    code = {
        name: digest
        for name, digest in code_of([CONVERT]).items()
        if name.startswith(CONVERT.rpartition(".")[0])
    }
    mark = hash_of({"weights": weigh(named), "code": code})
    folder = state_root() / "converted" / f"{Path(pretrained).name}-{mark}"
    claim(folder)
    with locked(folder / MARK):  # processes on other GPUs wait for the first one
        if not (folder / "config.json").is_file():
            logger.info(f"{pretrained}: converting once into {folder}")
            write(_planned(pretrained, revision, autogaze, fetch=True), folder, logger.info)
    return str(folder)


def _planned(pretrained: str, revision: str | None, autogaze: str | None, fetch: bool = False) -> Any:
    from autogaze.nvila.convert.conversion import plan_conversion
    from autogaze.nvila.convert.snapshot import Snapshot

    return plan_conversion(Snapshot.of(pretrained, revision), autogaze=autogaze, fetch=fetch)
