"""Make a trained checkpoint small enough to ship: weights in half precision, beside what they need.

Readers get float32 from it as from any checkpoint; what rounding costs is in the model card.
"""

import shutil
from pathlib import Path

import torch

from autogaze.model.autogaze import AutoGaze
from autogaze.model.calibration import FILE
from autogaze.model.checkpoint import find_file, save_tensors

BESIDE = ("config.json", "preprocessor_config.json")


def pack(source: str | Path, target: str | Path) -> Path:
    """Write the checkpoint folder `source` to folder `target` in float16; returns the weights' path.

    A calibration is taken along where there is one. Raises CheckpointError where `source` is no checkpoint.
    """
    target = Path(target)
    target.mkdir(parents=True, exist_ok=True)
    tensors = AutoGaze.from_pretrained(source).state_dict()
    half = {name: tensor.to(torch.float16).contiguous() for name, tensor in tensors.items()}
    for name in BESIDE:
        shutil.copyfile(find_file(source, name), target / name)
    if (Path(source) / FILE).is_file():
        shutil.copyfile(Path(source) / FILE, target / FILE)
    path = target / "model.safetensors"
    save_tensors(half, path)
    return path
