"""Fixtures of the AutoGaze tests: the golden model (random weights, published outputs) and a tiny stand-in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from autogaze.model.autogaze import AutoGaze


@pytest.fixture(scope="session")
def golden(shared: Path) -> Path:
    """The folder of published inputs, weights and outputs."""
    return shared / "golden" / "autogaze"


@pytest.fixture(scope="session")
def golden_model(golden: Path) -> AutoGaze:
    """The published architecture with the golden weights; tests reset what they switch."""
    return AutoGaze.from_pretrained(golden)


@pytest.fixture(scope="session")
def golden_inputs(golden: Path) -> dict[str, torch.Tensor]:
    """frames_uint8, clip, clip392, noise, and `three`, the batch of the three-clip cases."""
    inputs = {
        name: x if x.dtype == torch.uint8 else x.float()
        for name, x in load_file(golden / "inputs.safetensors").items()
    }
    clip = inputs["clip"]
    inputs["three"] = torch.cat([clip, clip.flip(-1) * 0.5, inputs["noise"]])
    return inputs


@pytest.fixture(scope="session")
def golden_case(golden: Path) -> Callable[[str], tuple[dict[str, Any], dict[str, torch.Tensor]]]:
    """Name of a case -> the arguments of the published call, and its output."""

    def read(name: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        path = golden / f"{name}.safetensors"
        with safe_open(str(path), "pt") as file:
            metadata = file.metadata() or {}
        return json.loads(metadata.get("kwargs", "{}")), load_file(path)

    return read


@pytest.fixture(scope="session")
def random_model() -> AutoGaze:
    """The published sizes with seeded random weights, for tests that need no golden data."""
    torch.manual_seed(0)
    return AutoGaze().eval()
