"""`benchmarks/gpu.sh`, rehearsed on a CPU: what is spent on a GPU in one go must not fail there for a slip."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_rehearsal_passes(tmp_path: Path, shared: Path) -> None:
    command = [str(ROOT / "benchmarks/gpu.sh"), "--device", "cpu", "--small", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHON": sys.executable}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-4000:] + said.stderr[-2000:]
    (noted,) = tmp_path.glob("parts-*.json")
    parts = json.loads(noted.read_text())
    assert {"tests", "autogaze", "film", "plan", "train"} <= set(parts)
    assert all(part["outcome"] == "passed" for part in parts.values())
    (measured,) = tmp_path.glob("autogaze-*.json")
    assert all(row["status"] == "ok" for row in json.loads(measured.read_text())["rows"])
