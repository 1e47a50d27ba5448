"""The checkpoints that come with this package: trained by this project, from random weights, on CPUs.

`README.md` beside this file is their model card: what they learned from, what came out, and what they are not.
"""

from pathlib import Path

from autogaze.model.checkpoint import CheckpointError


def bundled() -> Path:
    """AutoGaze's folder, with config.json, model.safetensors, preprocessor_config.json and calibration.json.

    Raises CheckpointError where the package was installed without its weights.
    """
    return _held("", "bundled weights", "name a folder or a hub id such as nvidia/AutoGaze")


def bundled_reads() -> Path:
    """The folder with the weights of the selector `reads`. Raises CheckpointError where they are not installed."""
    return _held(
        "reads", "weights for the selector 'reads'", "name a folder that 'hlvid train reads' has made"
    )


def bundled_nvila(whole: bool = False) -> Path:
    """The folder of the small NVILA-HD, `pretrained=mini`; whole: of its baseline, which sees whole frames.

    Raises CheckpointError where it is not installed.
    """
    name = "nvila_video" if whole else "nvila"
    return _held(name, "small NVILA-HD", "name a folder that 'hlvid train reading' has made")


def _held(name: str, what: str, remedy: str) -> Path:
    folder = Path(__file__).parent / name
    if not (folder / "model.safetensors").is_file():
        raise CheckpointError(f"checkpoint {folder}: this installation has no {what}; {remedy}")
    return folder
