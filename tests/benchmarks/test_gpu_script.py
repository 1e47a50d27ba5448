"""`benchmarks/gpu.sh`, rehearsed on a CPU: what is spent on a GPU in one go must not fail there for a slip."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autogaze.model import decoders
from autogaze.model.autogaze import AutoGaze
from autogaze.model.static import StaticDecoder
from autogaze.nvila.presets import TINY_AUTOGAZE
from benchmarks.gpu_autogaze import profiled
from benchmarks.tables import GPU, NONE, RESULTS, filled, reports

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    *("tests", "autogaze", "film", "vit-bfloat16-fastest", "vit-float32-math", "stages-bfloat16-fastest"),
    "train",
}


def test_what_a_group_costs_is_counted_whatever_the_frame_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many operations however many frames are counted over; a GPU's fused kernels make fewer of them."""
    monkeypatch.setattr(decoders, "Decoder", StaticDecoder)
    torch.manual_seed(0)
    model = AutoGaze(replace(TINY_AUTOGAZE, layers=4)).eval().requires_grad_(False)
    video = torch.rand(1, 2, 3, 224, 224)
    one, two = profiled(model, video[:, :1]), profiled(model, video)
    assert one == two and set(one) == {"operations_a_group"}
    assert 100 < one["operations_a_group"] <= 220, "a step that grew is a slower loop"


@pytest.mark.slow
def test_the_rehearsal_passes(tmp_path: Path, shared: Path) -> None:
    command = [str(ROOT / "benchmarks/gpu.sh"), "--device", "cpu", "--small", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHON": sys.executable}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-4000:] + said.stderr[-2000:]
    (report,) = tmp_path.glob("gpu-*.json")
    parts = json.loads(report.read_text())["parts"]
    assert set(parts) == PARTS
    assert all(part["outcome"] == "passed" for part in parts.values())
    assert all(parts[part]["found"] for part in PARTS - {"film"}), "each keeps what it measured"
    tests = parts["tests"]["found"]
    assert tests["tests"] > 10 and not tests["skipped"] and tests["recorded"]
    assert all(row["status"] == "ok" for row in parts["autogaze"]["found"]["rows"])
    found = reports(tmp_path)
    for name in GPU:
        table = filled(f"<!-- table: {name} -->\n<!-- end -->", found, RESULTS)
        assert NONE not in table and table.count("\n|") > 3
