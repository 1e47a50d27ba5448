"""The checkpoint that comes with this package: trained by this project, from random weights, on a CPU.

`README.md` beside this file is its model card: what it learned from, what came out, and what it is not.
"""

from pathlib import Path

from autogaze.model.checkpoint import CheckpointError


def bundled() -> Path:
    """The folder with config.json, model.safetensors, preprocessor_config.json and calibration.json.

    Raises CheckpointError where the package was installed without its weights.
    """
    folder = Path(__file__).parent
    if not (folder / "model.safetensors").is_file():
        raise CheckpointError(
            f"checkpoint {folder}: this installation has no bundled weights; name a folder or a hub id such as "
            "nvidia/AutoGaze"
        )
    return folder


def bundled_reads() -> Path:
    """The folder with the weights of the selector `reads`. Raises CheckpointError where they are not installed."""
    folder = Path(__file__).parent / "reads"
    if not (folder / "model.safetensors").is_file():
        raise CheckpointError(
            f"checkpoint {folder}: this installation has no weights for the selector 'reads'; name a folder that "
            "'hlvid train reads' has made"
        )
    return folder
