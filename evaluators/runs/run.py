"""`execute`: one evaluation in one folder, by our strict `lmms_eval` in a process of its own.

The folder keeps a journal of every answer. Killed at any moment and started again, a run goes on where it was. A
finished one is not run again unless something that shapes its numbers changed (`evaluators.runs.identity`); then what
is still valid is taken from the journal. A folder belongs to one `RunSpec` and refuses another, and one process at a
time works in it.
"""

import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluators.core.identity import differences
from evaluators.core.outcomes import ERROR, INTERRUPTED, MEMORY, OK, TIMEOUT, classify
from evaluators.runs.files import (
    ASKED,
    GAZE,
    HOLDER,
    JOURNAL,
    LOCK,
    LOG,
    RECORD,
    RESULTS,
    SAMPLES,
    SPEC,
    read_json,
)
from evaluators.runs.identity import Used, run_identity, shaped_by
from evaluators.runs.progress import Progress, duration
from evaluators.runs.scoring import failed
from evaluators.runs.shares import POLL, answer_in_shares, start
from evaluators.runs.spec import RunSpec
from hlvid.errors import RunError
from hlvid.files import locked, write_json

CHILD = ("-m", "evaluators.runs.worker")


def execute(
    spec: RunSpec,
    folder: Path,
    *,
    timeout: float | None = None,
    total: int | None = None,
    again: Collection[str] = (),
    processes: int = 1,
    gpus: bool = False,
) -> dict[str, Any]:
    """Run it, or go on with it.

    Args:
        spec: what to run.
        folder: where; made if missing. Gets spec.json, journal/, samples.jsonl, results.json, record.json,
            log.txt and lmms-eval's own files.
        timeout: seconds after which the run is ended, with the status "timeout"; None for never.
        total: how many questions there are, for the progress; None if unknown.
        again: outcomes that are to be had anew, of a run or of single answers ("out_of_memory", "timeout", …); "ok"
            runs a finished one again and keeps its answers.
        processes: how many answer at once, each with videos of its own. gpus: each on a card of its own.

    Returns:
        What `results.json` holds. Whatever goes wrong in the run is told by "status" and "message".

    Raises:
        RunError: the folder belongs to another run.
        KeyboardInterrupt: passed on; the status is then "interrupted".
    """
    folder = folder.absolute()
    with _alone(folder) as waited:
        _claim(folder, spec)
        if known := _finished(folder, spec, again, waited):
            return known
        results = folder / RESULTS
        # Those of another identity are kept beside: nothing computed is lost.
        if results.is_file() and read_json(results)["status"] == OK:
            for name in (RESULTS, SAMPLES, RECORD):
                with contextlib.suppress(FileNotFoundError):
                    (folder / name).replace(folder / f"earlier-{name}")
        results.unlink(missing_ok=True)
        for note in (folder / JOURNAL).glob(ASKED):
            note.unlink()
        started = time.monotonic()
        status, message = _run(folder, timeout, total, again, processes, gpus)
        if not results.is_file():
            about = {"seconds": round(time.monotonic() - started, 2), "timeout": timeout}
            write_json(
                results, {**failed(spec, status, message), **about, **shaped_by(spec, folder / JOURNAL)}
            )
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        return read_json(results)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Hold the folder; whoever comes second says who runs, and waits: True for that one."""
    lock, note = folder / LOCK, folder / HOLDER
    waited = False
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(lock, _BusyError()))
        except _BusyError:
            print(
                f"{folder}: {_holder(note)} is at work here; waiting for it (Ctrl-C leaves it alone)",
                file=sys.stderr,
            )
            stack.enter_context(locked(lock))
            waited = True
        since = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(note, {"pid": os.getpid(), "host": platform.node(), "since": since})
        yield waited


class _BusyError(RunError):
    """Another process works in the folder."""


def _holder(note: Path) -> str:
    for _ in range(20):
        try:
            found = read_json(note)
            return f"process {found['pid']} on {found['host']}, since {found['since']},"
        except (RunError, KeyError):  # it has the lock, and is about to say who it is
            time.sleep(0.05)
    return "another process"


def _finished(folder: Path, spec: RunSpec, again: Collection[str], waited: bool) -> dict[str, Any] | None:
    """The results of a finished run, if they still stand; says what changed where they do not.

    Of one that was waited for, however it ended.
    """
    if not (folder / RESULTS).is_file():
        return None
    known = read_json(folder / RESULTS)
    if (known.get("status") != OK and not waited) or known.get("status") in again:
        return None
    if "identity" not in known:
        changed = ["they do not say what shaped them"]
    else:
        changed = differences(known["identity"], run_identity(spec, Used.of(known)))
    if not changed:
        return known
    told = "; ".join(changed)
    print(f"{folder}: its results do not stand: {told}; what is still valid is kept", file=sys.stderr)
    return None


def _claim(folder: Path, spec: RunSpec) -> None:
    """Make the folder this run's own."""
    path = folder / SPEC
    if path.is_file() and (found := read_json(path)) != spec.to_json():
        ours = spec.to_json()
        names = sorted(name for name in {**found, **ours} if found.get(name) != ours.get(name))
        told = "; ".join(f"{name}: there {found.get(name)!r}, now {ours.get(name)!r}" for name in names)
        raise RunError(f"{folder}: holds another run ({told}); name another folder")
    if not path.is_file() and any(one.name not in (LOCK, HOLDER) for one in folder.iterdir()):
        raise RunError(f"{folder}: not empty and no run's folder; name another")
    write_json(path, spec.to_json())


def _run(
    folder: Path, timeout: float | None, total: int | None, again: Collection[str], processes: int, gpus: bool
) -> tuple[str, str]:
    """Start the process and wait: (status, message) for the case that it wrote no results itself."""
    deaths = _oom_kills()
    if processes > 1:
        ends = None if timeout is None else time.monotonic() + timeout
        with Progress(folder, total) as progress:
            try:
                for failure in answer_in_shares(
                    folder, _environment(folder, again), processes, gpus, progress, ends
                ):
                    print(f"hlvid eval: {failure}; what it left is answered now", file=sys.stderr)
            except KeyboardInterrupt:
                return INTERRUPTED, f"interrupted after {progress.done()} answers, which are kept"
        timeout = None if ends is None else max(POLL, ends - time.monotonic())
    process = start((*CHILD, str(folder)), _environment(folder, again), folder / LOG)
    try:
        with Progress(folder, total) as progress:
            late = _wait(process, progress, timeout)
    except KeyboardInterrupt:
        _end(process)
        return INTERRUPTED, f"interrupted after {progress.done()} answers, which are kept"
    if late:
        _end(process)
        return TIMEOUT, f"not done after {duration(timeout or 0)}; {progress.done()} answers are kept"
    return _death(process.returncode, folder, _oom_kills() > deaths)


def _wait(process: subprocess.Popen[bytes], progress: Progress, timeout: float | None) -> bool:
    """Until the process ends (False) or its time is up (True)."""
    ends = None if timeout is None else time.monotonic() + timeout
    while True:
        try:
            process.wait(POLL)
        except subprocess.TimeoutExpired:
            progress.show()
        else:
            return False
        if ends is not None and time.monotonic() > ends:
            return True


def _death(code: int, folder: Path, oom: bool) -> tuple[str, str]:
    """What became of a process that ended without writing results."""
    last = _last_line(folder / LOG)
    if code >= 0:
        return classify(last), f"exit code {code}: {last}; see {folder / LOG}"
    name = signal.Signals(-code).name
    if code == -signal.SIGKILL and oom:
        return MEMORY, "ended by the kernel, which had no memory left; what was answered is kept"
    return ERROR, f"ended by signal {name}; what was answered is kept; see {folder / LOG}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all it started; it holds nothing that a kill could spoil."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment(folder: Path, again: Collection[str]) -> dict[str, str]:
    """Journals and gazes go into the run's own folder."""
    own = {"HLVID_RUNS": str(folder / JOURNAL), "HLVID_GAZE": str(folder / GAZE), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **own, "HLVID_AGAIN": ",".join(again)}


def _oom_kills() -> int:
    """How many processes this machine's kernel has ended for want of memory; 0 where it does not tell."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")
