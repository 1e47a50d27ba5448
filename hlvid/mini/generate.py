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
from pathlib import Path

from hlvid.files import locked
from hlvid.mini import evidence, manifest
from hlvid.mini.plan import VideoPlan, plan
from hlvid.mini.workers import cores, evidence_path, make_all, make_video
from hlvid.paths import mini_root

PARTS = "evidence"  # folder of per-video evidence while the set is being made


def make(
    root: Path | None = None,
    preset: str = "default",
    seed: int = 0,
    progress: bool = True,
    workers: int | None = None,
) -> Path:
    """Generate HLVid-Mini (what is missing of it) and return its folder.

    Args:
        root: the dataset folder; by default `mini_root(preset, seed)` below the data folder.
        preset: "tiny" (2 videos of 2.4 s), "default" (8 of 15 s), "study" (24 of 10 s),
            "long" (12 of a minute), "full" (77 of up to 5 minutes).
        seed: another seed gives other pixels, questions and answers.
        progress: show a progress bar on stderr.
        workers: how many videos are made at a time; by default as many as there are cores and memory for.

    Two processes that make one set wait for each other.

    Raises:
        DatasetError: unknown preset, or `root` holds another dataset.
        VideoError: PyAV cannot encode H.264.
    """
    videos = plan(preset, seed)
    folder = (root or mini_root(preset, seed)).expanduser()
    if not manifest.is_done(folder, preset, seed, videos):
        with locked(folder.parent / f".{folder.name}.lock"):
            if not manifest.is_done(folder, preset, seed, videos):
                _make(folder, preset, seed, videos, progress, workers or cores())
    return folder


def _make(
    folder: Path, preset: str, seed: int, videos: list[VideoPlan], progress: bool, workers: int
) -> None:
    from tqdm import tqdm

    manifest.claim(folder, preset, seed, videos)
    (folder / "videos").mkdir(exist_ok=True)
    (folder / PARTS).mkdir(exist_ok=True)
    total = sum(video.frames for video in videos)
    with tqdm(total=total, desc="HLVid-Mini", unit="frame", disable=not progress) as bar:
        missing = [video for video in videos if not _finished(folder, video)]
        bar.update(sum(video.frames for video in videos if video not in missing))
        if min(workers, len(missing)) > 1:
            make_all(folder, preset, missing, workers, bar)
        else:
            for video in missing:
                make_video(folder, video, bar)
    evidence.join([evidence_path(folder, video) for video in videos], folder / "evidence.jsonl")
    manifest.write_questions(folder, videos)
    manifest.finish(folder, preset, seed, videos)
    shutil.rmtree(folder / PARTS)


def _finished(folder: Path, video: VideoPlan) -> bool:
    return evidence_path(folder, video).is_file() and (folder / "videos" / video.name).is_file()
