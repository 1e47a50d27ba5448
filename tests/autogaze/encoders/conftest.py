"""A tiny SigLIP with random weights, clips and gazes for it, and the golden cases."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from autogaze.encoders.config import SiglipConfig
from autogaze.encoders.siglip import GazedSiglip
from autogaze.gaze import Gaze

TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


@pytest.fixture
def tiny() -> Callable[..., GazedSiglip]:
    """`tiny(attn_type=..., memory_budget=...)`: the same random weights every time."""

    def build(memory_budget: int = 1 << 30, **config: object) -> GazedSiglip:
        torch.manual_seed(0)
        model = GazedSiglip(SiglipConfig.from_json({**TINY, **config}), memory_budget).eval()
        return model.requires_grad_(False)

    return build


@pytest.fixture
def video() -> Tensor:
    """Three clips of four frames, (3, 4, 3, 224, 224)."""
    return torch.randn(3, 4, 3, 224, 224, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def masks() -> Tensor:
    """An uneven gaze for `video`: other numbers of tokens in every clip and frame, one frame without any."""
    chance = torch.tensor([[0.3, 0.05, 0.02, 0.1], [0.05, 0.0, 0.2, 0.02], [0.6, 0.01, 0.01, 0.3]])
    drawn = torch.rand(3, 4, 265, generator=torch.Generator().manual_seed(2)) < chance[..., None]
    drawn[:, 0, 0] = True
    return drawn


@pytest.fixture
def gaze(masks: Tensor) -> Gaze:
    return Gaze.from_masks(masks)


@pytest.fixture(scope="session")
def golden_checkpoint(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`golden_checkpoint("p16_224")`: a folder with config.json and model.safetensors, as the hub has them."""

    def folder(name: str) -> Path:
        target = tmp_path_factory.mktemp(name)
        config = json.loads((shared / f"golden/siglip/{name}.config.json").read_text())
        (target / "config.json").write_text(json.dumps({"model_type": "siglip_vision_model", **config}))
        shutil.copy(shared / f"golden/siglip/{name}.model.safetensors", target / "model.safetensors")
        return target

    return folder


@pytest.fixture(scope="session")
def golden_video(shared: Path) -> dict[str, Tensor]:
    """The clips that the golden encoders were fed with."""
    inputs = load_file(shared / "golden/autogaze/inputs.safetensors")
    clip = inputs["clip"]
    return {
        "p16_224": torch.cat([clip, clip.flip(-1) * 0.5, inputs["noise"].float()]),
        **({"p14_384": inputs["clip392"].float()} if "clip392" in inputs else {}),  # too large to travel
    }
