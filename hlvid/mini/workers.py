"""Makes videos of HLVid-Mini side by side: a process a core, each with one video at a time.

`python -m hlvid.mini.workers FOLDER PRESET SEED VIDEO` is what each process runs: a line for each frame it has made.

Processes of their own and not forked ones: whoever makes the set may have threads, and need not guard its main module.
A process ends when nobody reads its lines any more, so that a killed parent leaves none behind.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from hlvid.errors import HlvidError, VideoError
from hlvid.mini import evidence
from hlvid.mini.encode import Writer
from hlvid.mini.plan import VideoPlan, plan
from hlvid.mini.render import frames

MEMORY = (
    700 << 20
)  # bytes that a process takes at most (measured 0.5 GB), so that many cores do not fill a small memory


class Progress(Protocol):
    """The part of tqdm's interface that is used here."""

    def update(self, n: int = 1) -> object:
        """`n` more frames are done."""


def cores() -> int:
    """How many processes this machine has room for."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(len(os.sched_getaffinity(0)), free // MEMORY))


def make_all(
    folder: Path, preset: str, videos: Sequence[VideoPlan], workers: int, progress: Progress
) -> None:
    """Make these videos and their evidence in `folder`, `workers` at a time.

    Raises:
        VideoError: PyAV cannot encode, or the disk is full; the first fault ends all processes.
    """
    running: list[subprocess.Popen[str]] = []

    def make(video: VideoPlan) -> None:
        command = [sys.executable, "-m", __name__, str(folder), preset, str(video.seed), video.name]
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment()
        )
        running.append(child)
        assert child.stdout is not None and child.stderr is not None
        for _ in child.stdout:
            progress.update(1)
        said = child.stderr.read().strip().splitlines()
        if child.wait():
            raise VideoError(
                f"{folder}: {video.name} could not be made: {said[-1] if said else child.returncode}"
            )

    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for done in [pool.submit(make, video) for video in videos]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in running:
                child.terminate()
            raise


def make_video(folder: Path, video: VideoPlan, progress: Progress) -> None:
    """Draw and encode one video; its evidence, written last, says that it is finished."""
    lines = []
    with Writer(folder / "videos" / video.name, video.fps) as writer:
        for index, (planes, sightings) in enumerate(frames(video)):
            writer.add(planes)
            lines += [evidence.line(index, sighting) for sighting in sightings]
            progress.update(1)
    evidence.write(evidence_path(folder, video), lines)


def evidence_path(folder: Path, video: VideoPlan) -> Path:
    """Where a video's evidence lies while the set is being made."""
    return folder / "evidence" / f"{Path(video.name).stem}.jsonl"


def _environment() -> dict[str, str]:
    """This process's, with this package found first."""
    here = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))}


class _Lines:
    """A line for each frame, which the parent counts."""

    def update(self, n: int = 1) -> object:
        """Raises BrokenPipeError when the parent is gone."""
        return print(n, flush=True)


def main(folder: str, preset: str, seed: str, name: str) -> None:
    """What one process does."""
    video = next(video for video in plan(preset, int(seed)) if video.name == name)
    try:
        make_video(Path(folder), video, _Lines())
    except (HlvidError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
