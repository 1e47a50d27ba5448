"""A run's answers by several processes, each with videos of its own; the run itself then only scores them.

Processes write into the run's journal and end with their parent. One that dies takes nothing with it: what it left is
answered by the run. See `evaluators.core.share`.
"""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluators.core.device import cards
from evaluators.core.share import VARIABLE, Share
from evaluators.runs.files import LOG
from evaluators.runs.progress import Progress
from hlvid.errors import RunError

CHILD = ("-m", "evaluators.runs.worker")
POLL = 0.5
"""Seconds between two looks at a process."""


def cards_for(wanted: int) -> list[str]:
    """Names of so many GPUs, as CUDA takes them. Raises RunError where there are fewer."""
    names = cards()
    if len(names) < wanted:
        raise RunError(
            f"--gpus is {wanted}; this machine shows {len(names)}, give at most that, or --processes"
        )
    return names[:wanted]


def answer_in_shares(
    folder: Path,
    environment: Mapping[str, str],
    processes: int,
    gpus: bool,
    progress: Progress,
    ends: float | None = None,
) -> list[str]:
    """Start the processes and wait for them; what became of those that failed, in words.

    gpus: each gets a card of its own. ends: time.monotonic() at which they are ended. Raises KeyboardInterrupt after
    ending them all.
    """
    names = cards_for(processes) if gpus else [None] * processes
    logs = [folder / f"share-{number}-{LOG}" for number in range(processes)]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number, (name, log) in enumerate(zip(names, logs, strict=True)):
            own = {
                VARIABLE: str(Share(number, processes)),
                **({"CUDA_VISIBLE_DEVICES": name} if name is not None else {}),
            }
            started.append(start((*CHILD, str(folder)), {**environment, **own}, log))
        while any(process.poll() is None for process in started):
            time.sleep(POLL)
            progress.show()
            if ends is not None and time.monotonic() > ends:
                break
    finally:
        for process in started:
            process.kill()  # holds nothing that a kill could spoil
            process.wait()
    return [
        f"process {number} of {processes} ended with {process.returncode}; see {log}"
        for number, (process, log) in enumerate(zip(started, logs, strict=True))
        if process.returncode
    ]


def start(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Python with these arguments, its words in `log`; it ends when this process does, whose pipe it reads."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
