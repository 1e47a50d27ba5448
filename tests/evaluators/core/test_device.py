"""A device that is not here is refused with those that are.

Run: pytest tests/evaluators/test_device.py
"""

import pytest
import torch

from evaluators.core.device import check_device, devices
from hlvid.errors import RunError


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """As many GPUs as the test says."""
    count = request.param
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("gpus", [0], indirect=True)
@pytest.mark.parametrize(
    ("name", "why"), [("cuda", "no GPU here"), ("cuda:0", "no GPU"), ("mps", "no GPU"), ("tpu", "no such")]
)
def test_without_a_gpu_only_the_cpu_is_allowed(gpus: None, name: str, why: str) -> None:
    check_device("cpu")
    with pytest.raises(RunError, match=rf"^device {name}: {why}.*allowed here: cpu$"):
        check_device(name)


@pytest.mark.parametrize("gpus", [2], indirect=True)
def test_gpus_are_counted(gpus: None) -> None:
    assert devices() == ["cpu", "cuda"]
    check_device("cuda")
    check_device("cuda:1")
    for name in ("cuda:2", "cuda:x", "tpu"):
        with pytest.raises(RunError, match=r"allowed here: cpu, cuda$"):
            check_device(name)
