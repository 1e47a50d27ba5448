"""The published checkpoint itself: converted, compared with its own code step by step, asked one question.

Run where a GPU and a network are; 16 GB are downloaded and as many written:

    HLVID_NVILA_8B=nvidia/NVILA-8B-HD-Video pytest -m "gpu and network" tests/evaluators/models/nvila/test_published.py

A folder with a copy does in the name's stead. Without the variable it is skipped: nobody pays for 16 GB by accident.
"""

import os
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from autogaze.nvila.config import NVILAConfig
from evaluators.cli import mount
from evaluators.runs.smoke import smoke
from evaluators.runs.spec import RunSpec, parse_model_args

SOURCE = os.environ.get("HLVID_NVILA_8B", "")
ASKED = "num_video_frames=16,num_video_frames_thumbnail=8,max_tiles_video=4,gazing_ratio_tile=0.2+0.06x15"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.network,
    pytest.mark.skipif(not SOURCE, reason="HLVID_NVILA_8B names no checkpoint: a folder or a hub id"),
]


@pytest.fixture(scope="module")
def told_and_folder(tmp_path_factory: pytest.TempPathFactory, video_file: Path) -> tuple[str, Path]:
    """What the conversion with its check printed, and the folder that it wrote."""
    app, out = typer.Typer(), tmp_path_factory.mktemp("published") / "ours"
    mount(app)
    command = ["convert", SOURCE, "--out", str(out), "--check", "--video", str(video_file)]
    result = CliRunner().invoke(app, [*command, "--arguments", f"{ASKED},use_fast=false,max_new_tokens=4"])
    assert result.exit_code in (0, 1) and not isinstance(result.exception, ValueError), result.exception
    return result.stdout, out


def test_its_files_say_what_the_specification_found(told_and_folder: tuple[str, Path]) -> None:
    told, out = told_and_folder
    config = NVILAConfig.from_pretrained(out)
    assert config.vision.patch_size == 14 and config.vision.select_layer == -2
    assert config.chat[0] and config.stop and not config.random, told
    assert config.source["source"] == SOURCE


def test_both_ways_agree_step_by_step(told_and_folder: tuple[str, Path]) -> None:
    lines = told_and_folder[0].splitlines()
    verdicts = [line for line in lines if line.startswith(("same ", "DIFFERS "))]
    assert len(verdicts) == 9 and not [line for line in verdicts if line.startswith("DIFFERS")], verdicts


def test_one_question_with_the_real_settings(
    told_and_folder: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HLVID_MINI_PRESET", "tiny")
    arguments = {**parse_model_args(ASKED), "pretrained": str(told_and_folder[1])}
    console = Console(record=True, width=200, force_terminal=False)
    assert smoke(RunSpec("hlvid_mini", "nvila_hd", arguments), tmp_path / "run", console), (
        console.export_text()
    )
    assert "answered " in console.export_text()
