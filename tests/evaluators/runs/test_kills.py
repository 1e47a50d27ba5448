"""kill -9 at random over `hlvid eval` and `hlvid sweep`: no answer is lost, none asked twice, one record a cell.

Processes are forked from one that has imported everything, so that a start costs no imports; what runs is the real
evaluation by lmms-eval. A model of the test's own notes whom it is asked about, and whether that stands in the
journal already.

Run: HLVID_TEST_KILLS=50 pytest tests/evaluators/runs/test_kills.py -m slow     (50 kills of each)
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import psutil
import pytest

KILLS = int(os.environ.get("HLVID_TEST_KILLS", "5"))
QUESTIONS, LASTS = 24, 0.05
"""Of a run; seconds that an answer takes."""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["eval", "sweep"])
def test_killed_at_random_nothing_is_lost_and_nothing_asked_twice(
    what: str, dataset: Path, tmp_path: Path
) -> None:
    rows = (dataset / "data" / "test.jsonl").read_text().splitlines()
    many = [json.dumps({**json.loads(rows[n % 4]), "question_id": str(n)}) for n in range(QUESTIONS)]
    (dataset / "data" / "test.jsonl").write_text("\n".join(many) + "\n")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    argv = [sys.executable, __file__, what, str(tmp_path), str(KILLS)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    print(what, told)
    assert told["kills"] == KILLS and told["twice"] == told["lost"] == 0
    assert told["asked"] <= told["answers"] + told["kills"], (
        "a kill costs the answer that is being given, at most"
    )
    assert told["faults"] == []


class Fork:
    """What `subprocess.Popen` is to `execute`: the same command, in a fork."""

    def __init__(
        self, argv: Sequence[str], stdin: Any, stdout: Any, env: Mapping[str, str], **_: Any
    ) -> None:
        read, self._write = os.pipe()
        self.returncode: int | None = None
        if (pid := os.fork()) == 0:
            os.setsid()
            os.dup2(read, 0)
            os.dup2(stdout.fileno(), 1)
            os.dup2(stdout.fileno(), 2)
            os.closerange(3, 512)  # locks, and the other end of the pipe: a new program would not have them
            _leave(lambda: _child(argv, env))
        os.close(read)
        self.pid = pid

    def wait(self, timeout: float | None = None) -> int:
        ends = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            if (found := os.waitpid(self.pid, os.WNOHANG))[0]:
                self.returncode = os.waitstatus_to_exitcode(found[1])
                os.close(self._write)
            elif ends is not None and time.monotonic() > ends:
                raise subprocess.TimeoutExpired("child", timeout or 0)
            else:
                time.sleep(0.01)
        return self.returncode


def _child(argv: Sequence[str], env: Mapping[str, str]) -> None:
    from evaluators.runs import worker

    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["child", argv[-1]]
    worker.main()


def _leave(work: Any) -> None:
    """Run in a fork, never to return from it."""
    code = 1
    try:
        work()
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Import all, then start, kill and start again; print what was found."""
    import faulthandler
    import signal

    faulthandler.register(signal.SIGUSR1)
    what, home, kills = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    _prepare(home)
    rng, found = random.Random(0), dict.fromkeys(("kills", "lost", "asked", "answers"), 0)
    faults: list[str] = []
    started = time.monotonic()
    _until_done(what, home / "undisturbed", rng, 0, found, 0)
    lasts, turn = time.monotonic() - started, 0
    (home / "asked").write_text("")
    while found["kills"] < kills:
        folder = home / f"{what}-{turn}"
        _until_done(what, folder, rng, min(12, kills - found["kills"]), found, lasts)
        for run in _runs(folder):
            keys = [line["key"] for line in _lines(run)]
            faults += [] if len(keys) == len(set(keys)) == QUESTIONS else [f"{run}: {len(keys)} lines"]
            faults += [] if _results(run).get("n") == QUESTIONS else [f"{run}: {_results(run)}"]
            found["answers"] += len(keys)
        if what == "sweep":
            ok = [one for one in _records(folder) if one["status"] == "ok"]
            faults += [] if len(ok) == len({one["identity"] for one in ok}) == 2 else [f"{folder}: {ok}"]
        turn += 1
    asked = (home / "asked").read_text().split()
    found["asked"] = len(asked)
    print(
        json.dumps(
            {**found, "twice": asked.count("TWICE"), "runs": turn, "seconds_a_run": lasts, "faults": faults}
        )
    )


def _prepare(home: Path) -> None:
    """The model, lmms-eval, and the index of its tasks; forks instead of processes."""
    from lmms_eval.models import MODEL_REGISTRY_V2
    from lmms_eval.models.registry_v2 import ModelManifest

    import evaluators.runs.run as runs
    from evaluators.models.blind import Blind
    from evaluators.sweeps import runner
    from hlvid.tasks.command import run

    class Counting(Blind):
        name: ClassVar[str] = "counting"

        def answer(self, question: Any) -> Any:
            known = {line["question_id"] for line in _lines(Path(os.environ["HLVID_RUNS"]).parent)}
            with (home / "asked").open("a") as file:
                file.write("TWICE\n" if question.id in known else f"{question.id}\n")
            time.sleep(LASTS)
            return super().answer(question)

    Counting.__module__ = Blind.__module__  # a module that has a source
    sys.modules["counting_model"] = type(sys)("counting_model")
    sys.modules["counting_model"].Counting = Counting  # type: ignore[attr-defined]
    run(["--tasks", "hlvid", "--model", "blind", "--output_path", str(home / "warm"), "--log_samples"])
    manifest = ModelManifest(model_id="counting", simple_class_path="counting_model.Counting")
    MODEL_REGISTRY_V2.register_manifest(manifest, overwrite=True)
    (home / "asked").write_text("")
    forks = SimpleNamespace(**{**vars(subprocess), "Popen": Fork, "run": _evaluate})
    runs.subprocess = runner.subprocess = forks  # type: ignore[assignment]
    runs.POLL = 0.02


def _evaluate(argv: Sequence[str], **_: Any) -> Any:
    """`hlvid eval` in a fork."""
    out, given = (argv[argv.index(name) + 1] for name in ("--out", "--model-args"))
    if (pid := os.fork()) == 0:
        os.closerange(3, 512)
        _leave(lambda: _eval(Path(out), given))
    return subprocess.CompletedProcess(argv, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _eval(folder: Path, arguments: str = "seed=0") -> None:
    from evaluators.runs.run import execute
    from evaluators.runs.spec import RunSpec, parse_model_args

    execute(RunSpec("hlvid", "counting", parse_model_args(arguments)), folder)


def _sweep(folder: Path) -> None:
    from evaluators.sweeps.grid import Grid
    from evaluators.sweeps.launch import local
    from evaluators.sweeps.runner import Options, sweep

    grid = Grid.model_validate(
        {"tasks": ["hlvid"], "models": [{"model": "counting"}], "axes": {"seed": [0, 1]}}
    )
    sweep(grid, folder, Options(), local(1), progress=False)


def _until_done(
    what: str, folder: Path, rng: random.Random, most: int, found: dict[str, int], lasts: float
) -> None:
    """Start it and kill somebody of it so many times, then until it is done."""
    kills = 0
    while True:
        before = {run: _lines(run) for run in _runs(folder)}
        if (pid := os.fork()) == 0:
            os.setsid()
            _leave(lambda: _eval(folder) if what == "eval" else _sweep(folder))
        if kills < most and _killed(pid, rng.uniform(0, lasts), rng):
            kills += 1
            found["kills"] += 1
            time.sleep(rng.choice((0, 0.2)))  # the next one comes while the others of it still live, or later
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
        else:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
            if _done(what, folder):
                return
        found["lost"] += sum(_lines(run)[: len(lines)] != lines for run, lines in before.items())


def _killed(pid: int, after: float, rng: random.Random) -> bool:
    """End one of its processes in so many seconds; False where all was over before."""
    own, ends = psutil.Process(pid), time.monotonic() + after
    while time.monotonic() < ends:
        if own.status() == psutil.STATUS_ZOMBIE:
            return False
        time.sleep(0.01)
    try:
        rng.choice([own, *own.children(recursive=True)]).kill()
    except psutil.NoSuchProcess:
        return False
    return True


def _done(what: str, folder: Path) -> bool:
    if what == "eval":
        return bool(_results(folder).get("status") == "ok")
    last = {one["identity"]: one["status"] for one in _records(folder)}
    return list(last.values()) == ["ok", "ok"]


def _results(run: Path) -> dict[str, Any]:
    path = run / "results.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _records(folder: Path) -> list[dict[str, Any]]:
    path = folder / "records.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def _runs(folder: Path) -> list[Path]:
    return list(folder.glob("cells/*/run")) or [folder]


def _lines(run: Path) -> list[dict[str, Any]]:
    """The whole lines of the answers that stand in the journals of a run."""
    found = []
    for path in sorted((run / "journal").glob("counting-*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                data = json.loads(line)
            except ValueError:  # torn by a kill
                continue
            found += [data] if "of" in data else []
    return found


if __name__ == "__main__":
    main()
