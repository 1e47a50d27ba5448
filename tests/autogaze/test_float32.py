"""Float32 stays float32 while AutoGaze looks: pytest tests/autogaze/test_float32.py"""

import pytest
import torch
from torch import Tensor

from autogaze.float32 import SWITCHES, full_float32
from autogaze.model.autogaze import AutoGaze
from autogaze.model.network import Network


def said() -> list[str]:
    return [switch.fp32_precision for switch in SWITCHES]


EXACT = ["ieee", "ieee"]


def test_is_put_back_by_the_last_to_leave() -> None:
    before = said()
    assert before != EXACT, "torch's own setting is TF32 for convolutions"
    with full_float32():
        with pytest.raises(RuntimeError), full_float32():
            raise RuntimeError
        assert said() == EXACT
    assert said() == before


def test_a_gaze_is_computed_within(random_model: AutoGaze, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    features = Network.features

    def spied(self: Network, video: Tensor, past: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        seen.append(said())
        return features(self, video, past)

    monkeypatch.setattr(Network, "features", spied)
    random_model.gaze(torch.zeros(1, 1, 3, 224, 224), ratio=0.01)
    assert seen == [EXACT]
