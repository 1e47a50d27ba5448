"""A stand-in for `hlvid eval` that takes milliseconds: same arguments, same files; and grids as files."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluators.sweeps import runner
from evaluators.sweeps.runner import Options

STAND_IN = """
import json, os, sys, time
from pathlib import Path
from filelock import FileLock
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
settings = dict(part.split("=") for part in given["--model-args"].split(",") if part)
out = Path(given["--out"])
out.mkdir(parents=True, exist_ok=True)
lock = FileLock(out / ".run.lock").acquire()
shaped = {}
if "SHAPED_BY" in os.environ:
    from evaluators.runs.identity import Used, run_identity
    from evaluators.runs.spec import RunSpec, parse_model_args
    used = json.loads(os.environ["SHAPED_BY"])
    spec = RunSpec(given["--task"], given["--model"], parse_model_args(given["--model-args"]))
    shaped = {**used, "identity": run_identity(spec, Used.of(used))}
if (out / "results.json").exists():
    found = json.loads((out / "results.json").read_text())
    if found["status"] == "ok" and found.get("identity") == shaped.get("identity"):
        sys.exit()
with open(os.environ["CALLS"], "a") as calls:
    calls.write(given["--model-args"] + "\\n")
time.sleep(float(os.environ.get("LASTS", "0")))
status, message = os.environ.get("STATUS", "ok"), ""
if int(settings.get("resolution", 0)) * int(settings.get("batch", 1)) > int(os.environ.get("MEMORY", "2000")):
    status, message = "out_of_memory", "needs 99 GB"
if settings.get("resolution") == "13":
    print("no such resolution: 13", file=sys.stderr)
    sys.exit(1)
found = {"status": status, "message": message, "n": 4, "correct": 3, "accuracy": 0.75, "wilson": [0.3, 0.95],
         "clustered": [0.2, 0.97], "tokens_per_question": 100.0, "llm_tokens_per_question": None, "seconds": 8.0,
         "seconds_per_question": {"decode": 1.0, "selector": 1.0}, "peak_memory_bytes": 5, **shaped}
partial = out / "results.partial"
partial.write_text(json.dumps(found))
partial.replace(out / "results.json")
"""


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in asks nothing about HLVid-Mini, so nobody makes it."""
    monkeypatch.setattr(runner, "make_ready", lambda tasks: None)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The script; what it was called with goes to `calls`, beside it."""
    script = tmp_path / "stand_in.py"
    # `--no-report` has no value: taken out so that the rest are pairs
    script.write_text("import sys; sys.argv.remove('--no-report')\n" + STAND_IN)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return script


@pytest.fixture
def options(stand_in: Path) -> Options:
    return Options(command=(sys.executable, str(stand_in)))


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    """What ran, in order."""
    return lambda: (tmp_path / "calls").read_text().splitlines() if (tmp_path / "calls").exists() else []


@pytest.fixture
def grid_file(tmp_path: Path) -> Callable[..., Path]:
    """A grid of 3 x 2 cells as a YAML file, with changes."""

    def make(**changes: Any) -> Path:
        data = {
            "tasks": ["hlvid_mini"],
            "models": [{"model": "gaze_reader"}],
            "axes": {"frames": [2, 4, 8], "resolution": [448, 896]},
            **changes,
        }
        path = tmp_path / "grid.yaml"
        path.write_text(yaml.safe_dump(data))
        return path

    return make
