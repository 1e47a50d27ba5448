"""docs/from_zero.md, walked on the tiny HLVid-Mini: every command of the page, its exit code and what it leaves.

Run: pytest -m slow tests/test_from_zero.py
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "from_zero.md"
INSTEAD = {
    "download --category av": "mini --preset tiny",  # needs a network and 152 GB
    "verify hlvid": "verify data/mini-tiny-0",
    "--task hlvid": "--task hlvid_mini",
    "--recipe qwen2_5_vl_7b": "--model gaze_reader --model-args resolution=896,frames=3",  # needs a GPU
}
"""What the page says, and what stands for it where there is neither a network nor a GPU."""


def steps() -> list[str]:
    """The page's commands in order, without the leading `hlvid`."""
    found = [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("   hlvid ")]
    for said, done in INSTEAD.items():
        assert any(said in line for line in found), f"{said!r}: no longer on the page"
        found = [re.sub(rf"{re.escape(said)}\b", done, line) for line in found]
    found.remove("hlvid audit runs/qwen")  # gaze_reader keeps no audit: it has no processor of pixels
    return [line.removeprefix("hlvid ") for line in found]


@pytest.mark.slow
def test_the_way_from_zero_to_a_number(tmp_path: Path) -> None:
    room = {
        "HLVID_DATA": str(tmp_path / "data"),
        "HLVID_STATE": str(tmp_path / "state"),
        "HLVID_MINI_PRESET": "tiny",
    }
    said = {}
    for step in steps():
        command = [sys.executable, "-m", "hlvid.cli", *shlex.split(step)]
        run = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **room}
        )
        assert run.returncode == 0, f"hlvid {step}: {run.stdout[-1000:]}{run.stderr[-2000:]}"
        said[step.partition(" ")[0]] = run.stdout
    assert set(said) >= {"doctor", "recipes", "eval", "compare", "figure", "submit"}
    assert (tmp_path / "runs" / "qwen" / "report.html").is_file()
    assert (tmp_path / "figures" / "main_table.csv").is_file()
    assert "qwen" in said["compare"] and "blind" in said["compare"]
