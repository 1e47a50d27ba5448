"""Run with: pytest -m "slow or not slow" tests/hlvid/tasks/test_entries.py. Every start finds us.

Each test starts processes that import torch and lmms-eval, about 15 s; the default run keeps two of them.
"""

import importlib.util
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hlvid.benchmarks.adapters import ADAPTERS
from hlvid.tasks import plugin

Shell = Callable[..., subprocess.CompletedProcess[str]]
BLIND = ("--tasks", "hlvid", "--model", "blind", "--model_args", "strategy=longest")

RUN_TWICE = """
import json, sys
from hlvid.tasks import plugin
from hlvid.benchmarks.adapters import ADAPTERS
plugin.register(); plugin.register()
{first}
import lmms_eval.evaluator
from lmms_eval.tasks import TaskManager
plugin.register()
assert not any(type(finder).__name__ == "_WaitForTasks" for finder in sys.meta_path)
assert {{"hlvid", "hlvid_mini", "videomme"}} <= set(TaskManager("ERROR").all_tasks)
assert TaskManager("ERROR", include_defaults=False).all_tasks == []
results = lmms_eval.evaluator.simple_evaluate(model="blind", model_args="strategy=longest", tasks=["hlvid"])
print("RESULT", results["results"]["hlvid"]["accuracy,none"])
"""

SLOW_MODEL = """
import sys, time
from evaluators.core.base import Answer, JournalledModel

class Slow(JournalledModel):
    name = "slow"

    def settings(self):
        return {}

    def answer(self, question):
        print("ASKED", question.id, flush=True)
        if question.id == "2" and sys.argv[1] == "hang":
            time.sleep(300)
        return Answer("A", {"frames": 3})

if __name__ == "__main__":
    from lmms_eval.evaluator import simple_evaluate
    from slow_model import Slow  # by this name its source is part of the run's identity

    results = simple_evaluate(model=Slow(), tasks=["hlvid"], log_samples=True)
    print("DETAILS", [sample["details"] for sample in results["samples"]["hlvid"]])
    print("RESULT", results["results"]["hlvid"]["accuracy,none"])
"""


def test_plain_lmms_eval_beside_a_folder_of_the_tasks_name(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "hlvid").mkdir()  # as in a clone of this repository
    done = shell("lmms-eval", *BLIND)
    row = r"\|hlvid\|none *\| *0\|accuracy *\|↑ *\|0\.3333\|"
    assert re.search(row, done.stdout), done.stdout + done.stderr


def test_after_kill_9_only_the_missing_answers_are_computed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow_model.py").write_text(SLOW_MODEL)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    first = subprocess.Popen(
        [sys.executable, "slow_model.py", "hang"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert first.stdout is not None
    asked = [line for line in iter(first.stdout.readline, b"ASKED 2\n") if line.startswith(b"ASKED")]
    assert asked == [b"ASKED 0\n", b"ASKED 1\n"]
    first.send_signal(signal.SIGKILL)
    assert first.wait(60) == -signal.SIGKILL

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["slow_model.py", "go on"])
    monkeypatch.delitem(sys.modules, "slow_model", raising=False)
    runpy.run_path("slow_model.py", run_name="__main__")
    said = capsys.readouterr().out
    asked_again = [line for line in said.splitlines() if line.startswith("ASKED")]
    assert asked_again == ["ASKED 2", "ASKED 3", "ASKED 4", "ASKED 5"]
    assert f"DETAILS {[{'frames': 3}] * 6}" in said
    assert "RESULT 0.3333333333333333" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    "start",
    [
        ("lmms_eval",),
        ("python", "-m", "lmms_eval"),
        ("accelerate", "launch", "--cpu", "--num_processes", "1", "-m", "lmms_eval"),
        ("torchrun", "--nproc_per_node", "2", "--master_port", "29655", "-m", "lmms_eval"),
    ],
    ids=lambda start: start[0],
)
def test_every_start_finds_the_task_and_the_model(start: tuple[str, ...], shell: Shell) -> None:
    done = shell(*start, *BLIND)
    row = r"\|hlvid\|none *\| *0\|accuracy *\|↑ *\|0\.3333\|"
    assert re.search(row, done.stdout), done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "import lmms_eval.tasks", "import lmms_eval.models"])
def test_registering_works_in_any_order_of_imports(first: str, shell: Shell) -> None:
    done = shell("python", "-c", RUN_TWICE.format(first=first))
    assert "RESULT 0.3333333333333333" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_the_script_exits_with_1_and_one_line(shell: Shell) -> None:
    done = shell("lmms_eval", "--tasks", "hlvid_mni", "--model", "blind")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "lmms_eval: task 'hlvid_mni' not found; did you mean hlvid"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("hlvid.mini") is None, reason="no generator in this checkout")
def test_mini_is_made_on_first_use(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLVID_MINI_PRESET", "tiny")
    done = shell("lmms_eval", "--tasks", "hlvid_mini", "--model", "blind")
    assert done.returncode == 0, done.stderr
    assert "|hlvid_mini|none  |     0|accuracy     |" in done.stdout


def test_the_yaml_files_are_the_tasks() -> None:
    assert plugin.task_names() == sorted(["hlvid", "hlvid_mini", "hlvid_paper", *ADAPTERS])
