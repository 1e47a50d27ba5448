"""Makes the dataset folder: videos, question file, evidence, manifest. Stops and goes on at any point.

    make(preset="tiny")      # Path of the folder; a second call finds it done and returns at once

Layout, as of the real HLVid plus two files of our own::

    data/test-00000-of-00001.parquet     question_id, category, question, answer, video_path, tier
    videos/clip_av_video_0_000.mp4
    evidence.jsonl                       one line a question and frame: where its text is (see `evidence.py`)
    mini.json                            what made it: generator, preset, seed, windows; "done" at the end

A finished video is not made again: its part of the evidence, written last, is the sign that it is finished.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from hlvid.mini import evidence, manifest
from hlvid.mini.encode import Writer
from hlvid.mini.plan import VideoPlan, plan
from hlvid.mini.render import frames
from hlvid.paths import mini_root

PARTS = "evidence"  # folder of per-video evidence while the set is being made


class Progress(Protocol):
    """The part of tqdm's interface that is used here."""

    def update(self, n: int = 1) -> object:
        """`n` more frames are done."""


def make(root: Path | None = None, preset: str = "default", seed: int = 0, progress: bool = True) -> Path:
    """Generate HLVid-Mini (what is missing of it) and return its folder.

    Args:
        root: the dataset folder; by default `mini_root(preset, seed)` below the data folder.
        preset: "tiny" (2 videos of 2.4 s), "default" (6 of 20 s), "full" (77 of up to 5 minutes).
        seed: another seed gives other pixels, questions and answers.
        progress: show a progress bar on stderr.

    Raises:
        DatasetError: unknown preset, or `root` holds another dataset.
        VideoError: PyAV cannot encode H.264.
    """
    videos = plan(preset, seed)
    folder = (root or mini_root(preset, seed)).expanduser()
    if manifest.is_done(folder, preset, seed, videos):
        return folder
    manifest.claim(folder, preset, seed, videos)
    (folder / "videos").mkdir(exist_ok=True)
    (folder / PARTS).mkdir(exist_ok=True)
    with _bar(videos, progress) as bar:
        for video in videos:
            if not _finished(folder, video):
                _make_video(folder, video, bar)
            else:
                bar.update(video.frames)
    evidence.join([_evidence_path(folder, video) for video in videos], folder / "evidence.jsonl")
    manifest.write_questions(folder, videos)
    manifest.finish(folder, preset, seed, videos)
    shutil.rmtree(folder / PARTS)
    return folder


def _make_video(folder: Path, video: VideoPlan, bar: Progress) -> None:
    lines = []
    with Writer(folder / "videos" / video.name, video.fps) as writer:
        for index, (planes, sightings) in enumerate(frames(video)):
            writer.add(planes)
            lines += [evidence.line(index, sighting) for sighting in sightings]
            bar.update(1)
    evidence.write(_evidence_path(folder, video), lines)


def _finished(folder: Path, video: VideoPlan) -> bool:
    return _evidence_path(folder, video).is_file() and (folder / "videos" / video.name).is_file()


def _evidence_path(folder: Path, video: VideoPlan) -> Path:
    return folder / PARTS / f"{Path(video.name).stem}.jsonl"


@contextmanager
def _bar(videos: list[VideoPlan], show: bool) -> Iterator[Progress]:
    from tqdm import tqdm

    total = sum(video.frames for video in videos)
    with tqdm(total=total, desc="HLVid-Mini", unit="frame", disable=not show) as bar:
        yield bar
