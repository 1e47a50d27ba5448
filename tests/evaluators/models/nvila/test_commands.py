"""Run with: pytest tests/evaluators/nvila/test_commands.py (add -m slow for the whole path on 4K video)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from evaluators.cli import mount
from hlvid.errors import RunError


@pytest.fixture
def app() -> typer.Typer:
    """The commands of evaluators, without the rest of the roof."""
    roof = typer.Typer()
    mount(roof)
    return roof


def test_a_checkpoint_is_made_and_said_to_be_random(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["make-checkpoint", "--shape", "tiny", "--out", str(tmp_path / "ckpt")])
    assert result.exit_code == 0 and "random weights" in result.stdout
    assert json.loads((tmp_path / "ckpt" / "config.json").read_text())["random"] is True
    wrong = CliRunner().invoke(app, ["make-checkpoint", "--shape", "70b", "--out", str(tmp_path / "other")])
    assert isinstance(wrong.exception, RunError) and "allowed are tiny, mini, mini-video, base, 8b" in str(
        wrong.exception
    )


def test_plan_exits_with_what_it_found(app: typer.Typer) -> None:
    fits = ["plan", "--frames", "64", "--resolution", "896", "--ratio", "0.06"]
    assert CliRunner().invoke(app, fits).exit_code == 0
    assert CliRunner().invoke(app, [*fits, "--gpu-gb", "10"]).exit_code == 1


@pytest.mark.slow
def test_the_whole_path_on_real_4k_video(checkpoint: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "HLVID_DATA": str(tmp_path / "data"),
        "HLVID_STATE": str(tmp_path / "state"),
        "HLVID_MINI_PRESET": "tiny",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "hf"),
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = ["--tasks", "hlvid_mini", "--model", "nvila_hd", "--model_args", f"pretrained={checkpoint}"]
    command += ["--log_samples", "--output_path", str(tmp_path / "out")]
    program = str(Path(sys.executable).with_name("lmms_eval"))
    result = subprocess.run([program, *command], env=environment, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stderr[-2000:]
    assert "random weights" in result.stderr + result.stdout
    samples = next((tmp_path / "out").rglob("*samples*.jsonl")).read_text().splitlines()
    for sample in map(json.loads, samples):
        assert sample["parsed"] in "ABCD" and "random weights" in sample["details"]["warning"]
        assert sample["details"]["native_pixels"] == [2160, 3840]
