"""The small steps of `benchmarks/gpu.sh`, without a GPU and without its parts.

pytest tests/benchmarks/test_gpu_parts.py
"""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

from benchmarks import gpu_parts
from benchmarks.gpu_parts import ROOT, found, note, unpack


def test_parts_are_noted_as_they_end_with_what_they_wrote(tmp_path: Path) -> None:
    report, rows = tmp_path / "gpu-a-cpu.json", tmp_path / "rows.json"
    rows.write_text('{"rows": [1]}')
    note(report, "autogaze", 124, 140, rows)
    note(report, "film", 0, 3, Path())
    note(report, "train", -1, 0, tmp_path / "absent.jsonl")
    said = json.loads(report.read_text())
    assert said["name"] == "a-cpu"
    assert {part: (how["outcome"], how["found"]) for part, how in said["parts"].items()} == {
        "autogaze": ("out of time", {"rows": [1]}),  # cut short, and kept as far as it came
        "film": ("passed", None),
        "train": ("left out, no time", None),
    }


def test_what_parts_write_is_read(tmp_path: Path) -> None:
    (tmp_path / "some.jsonl").write_text('{"step": 0}\n{"step": 1}\n')
    (tmp_path / "cut.json").write_text('{"rows": [')
    folder = tmp_path / "vit"
    folder.mkdir()
    (folder / "latency.json").write_text("[7]")
    assert found(tmp_path / "some.jsonl") == [{"step": 0}, {"step": 1}]
    assert found(tmp_path / "cut.json") is None
    assert found(folder) == [7]


def test_pytests_report_is_read(tmp_path: Path) -> None:
    xml = tmp_path / "tests.xml"
    xml.write_text(
        '<testsuites><testsuite tests="2" failures="1" errors="0" skipped="0"><testcase name="test_good"><properties>'
        '<property name="equal" value="0.5"/></properties></testcase><testcase name="test_bad">'
        '<failure message="no such kernel">at length</failure></testcase></testsuite></testsuites>'
    )
    said = found(xml)
    assert (said["tests"], said["failures"], said["skipped"]) == (2, 1, 0)
    assert said["recorded"] == {"test_good: equal": "0.5"}
    assert said["failed"] == {"test_bad": "no such kernel"}


def test_a_bare_machine_finds_the_commands(tmp_path: Path) -> None:
    """Where nothing is installed, `hlvid latency` and `hlvid train` come by entry points all the same."""
    unpack(tmp_path)
    (there,) = distributions(path=[str(tmp_path)], name="hlvid")
    named = {(point.group, point.name): point.value for point in there.entry_points}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = project["entry-points"]
    assert named == {
        (group, name): value for group, points in groups.items() for name, value in points.items()
    }


def test_unknown_arguments_are_refused_before_anything_runs() -> None:
    said = subprocess.run(
        [str(ROOT / "benchmarks/gpu.sh"), "--gpus", "2"], capture_output=True, text=True, check=False
    )
    assert said.returncode == 2 and "unknown argument --gpus" in said.stderr


@pytest.mark.slow
def test_parts_without_time_left_are_left_out(tmp_path: Path) -> None:
    """The limits add up to no more than what was asked for."""
    command = [str(ROOT / "benchmarks/gpu.sh"), "--device", "cpu", "--seconds", "4", "--out", str(tmp_path)]
    said = subprocess.run(
        [*command, "--parts", "tests train"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1, said.stderr
    (report,) = tmp_path.glob("gpu-tests-train-*.json")
    assert "torch" in report.name
    outcomes = {how["outcome"] for how in json.loads(report.read_text())["parts"].values()}
    assert outcomes == {gpu_parts.SAID[-1]}
