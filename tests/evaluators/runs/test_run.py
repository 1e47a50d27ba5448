"""What becomes of a run: done, wrong, late, killed, interrupted, started twice.

Run: pytest tests/evaluators/runs/test_run.py       (-m slow: a real model killed in its work)
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluators.runs import identity
from evaluators.runs.files import read_json
from evaluators.runs.progress import Progress, duration
from evaluators.runs.run import execute
from evaluators.runs.spec import RunSpec
from hlvid.errors import RunError

SPEC = RunSpec("hlvid", "blind", {"strategy": "hash"})
Child = Callable[[str], Path]
DONE = """
from evaluators.runs import identity
from evaluators.runs.files import read_json
from evaluators.runs.identity import shaped_by
from evaluators.runs.spec import RunSpec
spec = RunSpec.from_json(read_json(folder / "spec.json"))
results = {"status": "ok", "started": time.time(), **shaped_by(spec, folder / "journal")}
(folder / "results.json").write_text(json.dumps(results))
"""
JOURNAL = """
os.makedirs(os.environ["HLVID_RUNS"])
Path(os.environ["HLVID_RUNS"], "a.jsonl").write_text('{"of": "x", "key": "1"}\\n{"of": "x", "key": "2"}\\n')
note = {"journal": "a.jsonl", "keys": ["1", "2", "3"], "checkpoints": {}}
Path(os.environ["HLVID_RUNS"], "asked-0.json").write_text(json.dumps(note))
"""


def test_a_finished_run_is_not_run_again(child: Child, tmp_path: Path) -> None:
    child(DONE)
    first = execute(SPEC, tmp_path / "run")
    assert first["status"] == "ok"
    assert execute(SPEC, tmp_path / "run") == first
    assert execute(SPEC, tmp_path / "run", again=["ok"])["started"] > first["started"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data_identity": lambda *_: {"questions": 10}}, "data of hlvid changed"),
        ({"code_of": lambda *_, **__: {"hlvid.tasks": "new"}}, "code of"),
        ({"versions": lambda names: {"av": "9"}}, 'av ".*", now "9"'),
    ],
)
def test_a_finished_run_does_not_stand_when_something_changed(
    change: dict[str, Callable[..., object]],
    said: str,
    child: Child,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    child(DONE)
    first = execute(SPEC, tmp_path / "run")
    for name, value in change.items():
        monkeypatch.setattr(identity, name, value)
    assert execute(SPEC, tmp_path / "run")["started"] > first["started"]
    assert read_json(tmp_path / "run" / "earlier-results.json") == first, "and nothing computed is lost"
    assert re.search(
        rf"its results do not stand: .*{said}.*; what is still valid is kept", capsys.readouterr().err
    )


def test_code_and_weights_that_only_the_model_knows_count(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A selector in a user's file with its helper, a model of somebody else's: as the run's processes tell them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_selector.py").write_text("import my_helper\n")
    (tmp_path / "my_helper.py").write_text("")
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.safetensors").write_bytes(b"one")
    note = {
        "journal": "a.jsonl",
        "keys": [],
        "sources": ["my_selector"],
        "checkpoints": {"w": [str(weights), None]},
    }
    made = "journal = folder / 'journal'\nos.makedirs(journal, exist_ok=True)\n"
    told = f"(journal / 'asked-0.json').write_text({json.dumps(note)!r})\n"
    child(f"sys.path.insert(0, {str(tmp_path)!r})\n{made}{told}{DONE}")
    first = execute(SPEC, tmp_path / "run")
    assert execute(SPEC, tmp_path / "run") == first and "my_helper" in first["identity"]["code"]
    (tmp_path / "my_helper.py").write_text("RATIO = 0.5\n")
    second = execute(SPEC, tmp_path / "run")
    assert second["started"] > first["started"] and "code of my_helper changed" in capsys.readouterr().err
    (weights / "model.safetensors").write_bytes(b"two")
    assert execute(SPEC, tmp_path / "run")["started"] > second["started"]
    assert "weights of w changed" in capsys.readouterr().err


def test_the_second_process_says_who_runs_and_waits(child: Child, tmp_path: Path) -> None:
    """Two `hlvid eval` on one folder: the model is asked once, both have its results."""
    path = child("(folder / 'calls').open('a').write('x')\ntime.sleep(1)\n" + DONE)
    start = f"""
from pathlib import Path
from evaluators.runs import run
from evaluators.runs.spec import RunSpec
run.CHILD = ({str(path)!r},)
print(run.execute(RunSpec("hlvid", "blind"), Path({str(tmp_path / "run")!r}))["status"])
"""
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", start], **pipe) for _ in range(2)]  # type: ignore[call-overload]
    said = [process.communicate(timeout=120) for process in both]
    assert [out.strip() for out, _ in said] == ["ok", "ok"], said
    assert (tmp_path / "run" / "calls").read_text() == "x"
    waited = "".join(err for _, err in said)
    assert re.search(r"process \d+ on .*, since .*, is at work here; waiting", waited), waited


def test_a_folder_belongs_to_one_run(child: Child, tmp_path: Path) -> None:
    child(DONE)
    execute(SPEC, tmp_path / "run")
    with pytest.raises(RunError, match=r"holds another run \(seed: there 0, now 1\)"):
        execute(RunSpec("hlvid", "blind", {"strategy": "hash"}, seed=1), tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(RunError, match="not empty"):
        execute(SPEC, tmp_path / "mine")


def test_a_failure_before_any_result(child: Child, tmp_path: Path) -> None:
    child("sys.exit('lmms_eval: video a.mp4 not found')")
    found = execute(SPEC, tmp_path / "run")
    assert found["status"] == "error" and "video a.mp4 not found" in found["message"]
    assert found["accuracy"] is None and found["task"] == "hlvid"
    child("sys.exit('torch.OutOfMemoryError: CUDA out of memory')")
    assert execute(SPEC, tmp_path / "run")["status"] == "out_of_memory", "a failed run is tried again"


def test_a_run_that_takes_too_long_is_ended(child: Child, tmp_path: Path) -> None:
    child(JOURNAL + "(folder / 'pid').write_text(str(os.getpid()))\ntime.sleep(60)")
    found = execute(SPEC, tmp_path / "run", timeout=2.0)
    assert found["status"] == "timeout"
    assert "2 answers are kept" in found["message"]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "run" / "pid").read_text()), 0)


def test_a_model_that_is_killed(child: Child, tmp_path: Path) -> None:
    child("os.kill(os.getpid(), signal.SIGKILL)")
    found = execute(SPEC, tmp_path / "run")
    assert found["status"] in ("error", "out_of_memory"), "the latter if the kernel killed anybody just then"
    assert read_json(tmp_path / "run" / "results.json") == found


def test_an_interrupt_ends_the_model_and_is_recorded(child: Child, tmp_path: Path) -> None:
    child("os.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)")
    with pytest.raises(KeyboardInterrupt):
        execute(SPEC, tmp_path / "run")
    assert read_json(tmp_path / "run" / "results.json")["status"] == "interrupted"


def test_the_model_does_not_outlive_who_started_it(tmp_path: Path) -> None:
    """kill -9 of `hlvid eval` leaves no process behind that would go on answering."""
    child = tmp_path / "child.py"
    child.write_text(
        textwrap.dedent("""
        import os, sys, threading, time
        from pathlib import Path
        from evaluators.runs.worker import _end_with_parent
        threading.Thread(target=_end_with_parent, daemon=True).start()
        (Path(sys.argv[1]) / "pid").write_text(str(os.getpid()))
        time.sleep(120)
        """)
    )
    start = f"""
from pathlib import Path
from evaluators.runs import run
from evaluators.runs.spec import RunSpec
run.CHILD = ({str(child)!r},)
run.execute(RunSpec("hlvid", "blind"), Path({str(tmp_path / "run")!r}))
"""
    parent = subprocess.Popen([sys.executable, "-c", start], stderr=subprocess.DEVNULL)
    pid = tmp_path / "run" / "pid"
    _until(lambda: pid.is_file() and pid.read_text() != "")
    parent.kill()
    parent.wait()
    _until(lambda: not _alive(int(pid.read_text())))


def test_progress_counts_answers_and_tells_what_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()

    def lines(*keys: str) -> str:
        return "".join(json.dumps({"of": "x", "key": key}) + "\n" for key in keys)

    (folder / "old.jsonl").write_text(lines(*"123456789"))  # of other code: what is asked now is not in it
    (folder / "a.jsonl").write_text(lines("1", "2", "another task's"))
    progress = Progress(tmp_path, total=12)
    assert progress.done() == 0, "nobody has said yet what is asked"
    note = {"journal": "a.jsonl", "keys": [str(n) for n in range(1, 13)], "checkpoints": {}}
    (folder / "asked-0.json").write_text(json.dumps(note))
    assert progress.done() == progress.kept == 2
    with (folder / "a.jsonl").open("a") as file:
        file.write(lines("3", "4", "5") + "torn")
    assert progress.done() == 5
    progress._started -= 30  # three answers in half a minute, seven to go
    assert progress.left(5) == "70 s left"
    assert progress.left(2) == "30 s so far"
    assert [duration(value) for value in (8, 700, 11_100)] == ["8 s", "12 min", "3 h 05 min"]


def test_end_to_end_through_the_command(dataset: Path, tmp_path: Path) -> None:
    """The real `hlvid eval` on the real lmms-eval with the blind model: every file of the contract."""
    out = tmp_path / "out"
    done = _hlvid(
        "eval", "--task", "hlvid", "--model", "blind", "--model-args", "strategy=hash", "--out", out
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "95 % by video" in done.stdout and "report.html" in done.stdout
    results, record = read_json(out / "results.json"), read_json(out / "record.json")
    assert results["status"] == "ok" and results["n"] == 4 and results["peak_memory_bytes"] > 1e7
    samples = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    assert {one["question_id"] for one in samples} == {"0", "1", "2", "3"}
    assert all(one["options"]["B"] == "EXIT 12" and one["answer"] == "B" for one in samples)
    assert sum(one["correct"] for one in samples) == results["correct"]
    assert record["identities"][0]["settings"]["strategy"] == "hash"
    assert record["decoder"].startswith("pyav")
    told = record["datasets"]["hlvid"]
    assert results["left_out"] == {} and results["dataset"] == {"hlvid": told["fingerprint"]}
    assert told["set"].startswith("sha256:")
    assert (out / "report.html").is_file()


@pytest.mark.slow
def test_killed_in_its_work_a_run_goes_on_where_it_was(dataset: Path, tmp_path: Path) -> None:
    arguments = ("eval", "--task", "hlvid", "--model", "gaze_reader", "--model-args",
                 "frames=3,resolution=448,ratio=0.2", "--no-report", "--out", tmp_path / "run")  # fmt: skip
    process = subprocess.Popen([_script(), *map(str, arguments)], stdout=subprocess.DEVNULL)
    journal = tmp_path / "run" / "journal"
    _until(lambda: any(path.read_bytes().count(b"\n") > 1 for path in journal.glob("*.jsonl")), 300)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (path,) = journal.glob("*.jsonl")
    before = path.read_text().splitlines()
    assert not (tmp_path / "run" / "results.json").exists()
    done = _hlvid(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    after = path.read_text().splitlines()
    assert after[: len(before)] == before and len(after) == 1 + 4, "no question was answered twice"
    assert read_json(tmp_path / "run" / "results.json")["n"] == 4
    assert list((tmp_path / "run" / "gaze").glob("*.npz"))
    refused = _hlvid("eval", "--task", "hlvid", "--model", "bliind", "--out", tmp_path / "other")
    assert refused.returncode == 1 and "did you mean blind" in refused.stdout


@pytest.mark.slow
def test_a_disk_that_fills_up_loses_no_answer_and_is_one_line(dataset: Path, tmp_path: Path) -> None:
    def small() -> None:  # between the journal of four answers and the results
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    arguments = ("eval", "--task", "hlvid", "--model", "blind", "--no-report", "--out", tmp_path / "run")
    command = [_script(), *map(str, arguments)]
    full = subprocess.run(command, capture_output=True, text=True, timeout=300, preexec_fn=small)
    (path,) = (tmp_path / "run" / "journal").glob("*.jsonl")
    before = path.read_bytes()
    assert full.returncode == 1 and "free space" in full.stdout + full.stderr
    assert "Traceback" not in full.stdout + full.stderr
    done = _hlvid(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_bytes().startswith(before) and len(path.read_text().splitlines()) == 1 + 4


def _script() -> str:
    return str(Path(sys.executable).with_name("hlvid"))


def _hlvid(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "200"}
    command = [_script(), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


def _until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, f"nothing happened in {seconds} s"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
