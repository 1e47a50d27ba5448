"""docs/from_zero.md, walked on the tiny HLVid-Mini: each step's command, its exit code and what it leaves.

Run: pytest -m slow tests/test_from_zero.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = (
    ("mini", "--preset", "tiny"),
    ("verify", "data/mini-tiny-0"),
    ("eval", "--task", "hlvid_mini", "--model", "blind", "--dry-run"),
    ("eval", "--task", "hlvid_mini", "--model", "blind", "--out", "runs/blind"),
    (
        "eval",
        "--task",
        "hlvid_mini",
        "--model",
        "blind",
        "--model-args",
        "strategy=longest",
        "--out",
        "runs/longest",
    ),
    ("compare", "runs/longest", "runs/blind"),
    ("figure", "main_table", "--records", "runs", "--out", "figures"),
    ("submit", "runs/longest", "--model", "longest", "--contact", "you"),
)


@pytest.mark.slow
def test_the_way_from_zero_to_a_number(tmp_path: Path) -> None:
    room = {
        "HLVID_DATA": str(tmp_path / "data"),
        "HLVID_STATE": str(tmp_path / "state"),
        "HLVID_MINI_PRESET": "tiny",
    }
    said = {}
    for step in STEPS:
        command = [sys.executable, "-m", "hlvid.cli", *step]
        run = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **room}
        )
        assert run.returncode == 0, f"{' '.join(step)}: {run.stderr[-2000:]}"
        said[step[0]] = run.stdout
    assert (tmp_path / "runs" / "longest" / "report.html").is_file()
    assert (tmp_path / "figures" / "main_table.csv").is_file()
    assert "longest" in said["compare"] and "blind" in said["compare"]
