"""Make a set of labelled clips from videos and from the generator: resumable, the same for the same seed.

The set is cut in shards of `SHARD` clips, each of one video or of the generator and each decided by seed and
number alone. A run makes the shards that are not there, so a killed one is resumed by the same command; a
folder that was made with other settings is refused. Videos that `split.held_out` names are passed over, or,
with `part="val"`, are the only ones taken.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from autogaze.training import generator
from autogaze.training.clips import Window, videos_in
from autogaze.training.gather import spread
from autogaze.training.labels import LabelError, LabelledClip, save
from autogaze.training.objectives import searched
from autogaze.training.schedule import RATIO_RANGE, frame_budgets
from autogaze.training.split import held_out
from autogaze.training.text_tiles import HELD_OUT, tile
from hlvid.files import write_json

SHARD = 32
MANIFEST = "labels.json"
VERSION = 1
"""Raise it when the same settings no longer make the same labels."""

Part = Literal["train", "val", "all"]


@dataclass(frozen=True)
class Job:
    """One shard. video: its path, None for generated clips. number: counts the shards of one source."""

    name: str
    video: str | None
    number: int
    clips: int


@dataclass(frozen=True)
class Settings:
    """What decides about the content of a set.

    frames: least and most frames of a clip. ratios: least and greatest mean gazing ratio. memory: whether the
    pasted picture remembers earlier frames. objective: what a token is taken for, see `objectives`.
    """

    seed: int = 0
    frames: tuple[int, int] = (4, 16)
    ratios: tuple[float, float] = RATIO_RANGE
    memory: bool = True
    shard: int = SHARD
    objective: str = "paste"

    def __post_init__(self) -> None:
        if not 1 <= self.frames[0] <= self.frames[1]:
            raise ValueError(f"frames={self.frames}: expected two numbers, 1 <= least <= most")
        if not 0 < self.ratios[0] < self.ratios[1] <= 1:
            raise ValueError(f"ratios={self.ratios}: expected two numbers, 0 < least < greatest <= 1")
        if self.seed < 0 or self.shard < 1:
            raise ValueError(f"seed={self.seed}, shard={self.shard}: expected 0 or more, 1 or more")


def make_labels(
    out: str | Path,
    videos: str | Path | None = None,
    generated: int = 0,
    per_video: int = 64,
    processes: int = 1,
    part: Part = "train",
    settings: Settings | None = None,
    progress: bool = True,
) -> Path:
    """Fill folder `out` with labelled clips and return it; shards that are there already are kept.

    videos: folder of videos, `per_video` clips of each. generated: clips of the generator. part: which videos.
    Raises LabelError where the folder holds a set of other settings, ValueError for arguments out of range.
    """

    folder, settings = Path(out), settings or Settings()
    jobs = plan(videos, generated, per_video, part, settings.shard)
    clips = {job.name: job.clips for job in jobs}
    agree(folder, {"version": VERSION, **asdict(settings)}, clips)
    work = partial(make_shard, folder, settings)
    fill(folder, clips, {job.name: job for job in jobs}, work, processes, progress)
    return folder


def plan(
    videos: str | Path | None, generated: int, per_video: int, part: Part, shard: int = SHARD
) -> list[Job]:
    """The shards of a set, in order of their names."""
    if generated < 0 or per_video < 1:
        raise ValueError(f"generated={generated}, per_video={per_video}: expected 0 or more, 1 or more")
    paths = [] if videos is None else [path for path in videos_in(videos) if _wanted(path.name, part)]
    if not paths and not generated:
        raise ValueError(f"videos={videos}, generated={generated}: nothing to label")
    jobs = [
        Job(f"{path.stem}-{number:04d}.safetensors", str(path), number, clips)
        for path in paths
        for number, clips in enumerate(_cut(per_video, shard))
    ]
    jobs += [
        Job(f"generated-{number:04d}.safetensors", None, number, clips)
        for number, clips in enumerate(_cut(generated, shard))
    ]
    if len({job.name for job in jobs}) < len(jobs):
        raise ValueError(f"videos={videos}: two videos of one name; rename one of them")
    return sorted(jobs, key=lambda job: job.name)


def make_shard(folder: Path, settings: Settings, job: Job) -> int:
    """Draw, label and write one shard; returns its number of clips."""
    torch.set_num_threads(1)
    draw = np.random.default_rng([settings.seed, job.number, *Path(job.video or "generated").name.encode()])
    labelled = [label(frames, settings, draw) for frames in _clips(job, settings, draw)]
    save(folder / job.name, labelled)
    return len(labelled)


def label(frames: Tensor, settings: Settings, draw: np.random.Generator) -> LabelledClip:
    """Draw budgets and search: frames uint8 (T, 3, 224, 224)."""
    budgets = frame_budgets(len(frames), draw, *settings.ratios)
    return LabelledClip(frames, *searched(settings.objective, frames, budgets, settings.memory))


def _clips(job: Job, settings: Settings, draw: np.random.Generator) -> Iterator[Tensor]:
    low, high = settings.frames
    window = None if job.video is None else Window.read(job.video, seed=int(draw.integers(2**31)))
    for _ in range(job.clips):
        frames, seed = int(draw.integers(low, high + 1)), int(draw.integers(2**31))
        if window is not None:
            yield window.clip(seed, frames)
        elif (
            settings.objective == "text"
        ):  # real fonts, of known size; the generator's own lettering is not read
            yield tile(seed % HELD_OUT)[0].expand(frames, -1, -1, -1)
        else:
            yield generator.clip(seed, frames)


def _cut(clips: int, shard: int) -> list[int]:
    """So many clips in shards: full ones and a rest."""
    return [shard] * (clips // shard) + ([clips % shard] if clips % shard else [])


def _wanted(name: str, part: Part) -> bool:
    return part == "all" or held_out(name) == (part == "val")


def agree(folder: Path, settings: Mapping[str, Any], shards: Mapping[str, int]) -> None:
    """Write the manifest, or compare with the one that is there. shards: clips by name.

    Raises LabelError where the folder holds a set of other settings.
    """
    own = json.loads(json.dumps({**settings, "shards": dict(shards)}))
    path = folder / MANIFEST
    if not path.exists():
        write_json(path, own)
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    differing = [key for key in own if found.get(key) != own[key]]
    if differing:
        raise LabelError(
            f"labels {folder}: made with other settings ({', '.join(differing)}); give the ones in {path}, or "
            "another folder"
        )


def fill(
    folder: Path,
    clips: Mapping[str, int],
    jobs: Mapping[str, Any],
    work: "partial[int]",
    processes: int,
    progress: bool,
) -> None:
    """Do the jobs whose shards are not there. clips, jobs: of each shard; `work` makes one, and returns its clips."""
    from tqdm import tqdm

    names = [name for name in jobs if not (folder / name).exists()]
    missing = [jobs[name] for name in names]
    with tqdm(total=sum(clips[name] for name in names), unit="clip", disable=not progress) as bar:
        for done in spread(work, missing, processes):
            bar.update(done)
