"""The clips that are measured: 16 frames of 224 x 224 px each, of the user's videos or generated.

Generated ones come from `scenes`, with their flow; videos are centre-cropped to a square and sampled at 8 FPS
(every frame where the video has fewer), several clips spread over a long video.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from analysis.cache import files_identity
from analysis.inputs import Inputs
from analysis.stats import intervals, number
from analysis.studies.scenes import SIDE, Flow, Pictures, make_scene
from autogaze.gaze import Gaze
from autogaze.selectors import Context, Selector, look, needs_of
from autogaze.selectors.base import Ratio
from evaluators.core.told import told_of
from hlvid.errors import RunError, VideoError
from hlvid.video import Video

FRAMES = 16
RATE = 8.0
SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v"}


@dataclass(frozen=True)
class Clip:
    """name: unique. cluster: what it was cut from. frames: uint8 (T, 224, 224, 3). flow: (T, 224, 224) or None.

    told: what selectors may ask for beside pixels, as far as it is known.
    """

    name: str
    cluster: str
    frames: Pictures
    flow: Flow | None = None
    told: Context = field(default_factory=Context)

    def tensor(self) -> Tensor:
        """Float (1, T, 3, 224, 224) in [0, 1]."""
        return unit(self.frames)


def gaze_at(selector: Selector, clips: Sequence[Clip], ratio: Ratio) -> Gaze:
    """Gaze at clips of one length, each in its own context.

    Raises RunError where the selector needs what is not known of a clip: of generated ones the codec, of clips that
    were changed anything.
    """
    needs = needs_of(selector)
    if not needs:
        return selector.select(torch.cat([clip.tensor() for clip in clips]), ratio=ratio)
    for clip in clips:
        if lacking := clip.told.lacks(needs):
            raise RunError(
                f"selector {selector.name}: {lacking[0]} of {clip.name} is not known; name another"
            )
    return Gaze.cat([look(selector, clip.tensor(), clip.told.only(needs), ratio=ratio) for clip in clips])


def load_clips(inputs: Inputs, count: int | None = None) -> list[Clip]:
    """`count` clips (default `inputs.clips`): of the videos given, else generated with their exact flow.

    Raises VideoError where the folders hold no video.
    """
    count = count or inputs.clips
    if not inputs.videos:
        times = torch.arange(FRAMES, dtype=torch.float64) / RATE
        told = Context(times, None, inputs.question)
        return [replace(_generated(seed), told=told) for seed in range(inputs.seed, inputs.seed + count)]
    files = video_files(inputs.videos)
    each = -(-count // len(files))
    stems = [path.stem for path in files]
    # Two videos of one name are two clusters.
    named = [(path, path.stem if stems.count(path.stem) == 1 else str(path)) for path in files]
    found = (
        clip
        for path, n in tqdm(named, desc="reading clips", leave=False)
        for clip in clips_of(path, each, name=n, needs=inputs.needs(), question=inputs.question)
    )
    return list(found)[: max(count, len(files))]


def describe(table: pd.DataFrame, inputs: Inputs) -> str:
    """What was measured, for captions: counted in the table of measurements (columns clip, cluster)."""
    clips, clusters = table["clip"].nunique(), table["cluster"].nunique()
    if not inputs.videos:
        return f"{number(clips, 'generated clip')} of {FRAMES} frames at {SIDE} px (seeds {inputs.seed} on)"
    return (
        f"{number(clips, 'clip')} of up to {FRAMES} frames at {SIDE} px and {RATE:g} FPS "
        f"of {number(clusters, 'video')}"
    )


def over_clusters(table: pd.DataFrame, inputs: Inputs) -> str:
    """What the intervals are clustered by, for captions: "95 %, clustered, 2 videos"."""
    clusters = table["cluster"].nunique()
    what = number(clusters, "video" if inputs.videos else "generated clip")
    return intervals(clusters, what)


def identity(inputs: Inputs, count: int | None = None) -> dict[str, object]:
    """What tells one set of clips from another: for the cache."""
    files = files_identity(video_files(inputs.videos)) if inputs.videos else []
    told = {"question": inputs.question} if inputs.question else {}
    return {"videos": files, "clips": count or inputs.clips, "seed": inputs.seed, **told}


def video_files(paths: Iterable[Path]) -> list[Path]:
    """Every video among `paths`, folders searched in full; VideoError where there is none."""
    found: list[Path] = []
    for path in paths:
        inside = (
            sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        )
        found += inside
    if not found:
        raise VideoError(
            f"no video in {', '.join(map(str, paths))}; looked for {', '.join(sorted(SUFFIXES))}"
        )
    return found


def clips_of(
    path: Path,
    count: int,
    frames: int = FRAMES,
    rate: float = RATE,
    name: str | None = None,
    needs: Collection[str] = (),
    question: str | None = None,
) -> Iterator[Clip]:
    """Up to `count` clips of one video, spread over it and not overlapping; `name`: of the cluster, else the stem.

    needs, question: what selectors are to be told of them.
    """
    name = name or path.stem
    with Video.open(path) as video:
        step = max(1.0, video.fps / rate)
        room = int((video.frame_count - 1) / step) + 1  # sampled frames there are
        length = min(frames, room)
        number = max(1, min(count, room // length))
        side = fit(video.height, video.width, SIDE)
        starts = [round(k * (room - length) / (number - 1)) for k in range(number)] if number > 1 else []
        cuts = [
            [int((first + i) * step) for i in range(length)] for first in starts or [(room - length) // 2]
        ]
        told = told_of(video, [index for cut in cuts for index in cut], side, needs, question)
        for k, indices in enumerate(cuts):
            pictures = centre(video.frames(indices, side), SIDE)
            context = told.context(tuple(needs), indices, lambda maps: unit(centre(maps, SIDE)))
            yield Clip(f"{name}#{k}", name, pictures, told=context or Context())


def unit(pictures: Pictures) -> Tensor:
    """uint8 (T, H, W, 3) -> float (1, T, 3, H, W) in [0, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()[None] / 255


def fit(height: int, width: int, side: int) -> tuple[int, int]:
    """(height, width) of a picture whose shorter side becomes `side`."""
    factor = side / min(height, width)
    return max(side, round(height * factor)), max(side, round(width * factor))


def centre(pictures: Pictures, side: int) -> Pictures:
    """The square of `side` px in the middle of (T, H, W, 3)."""
    top, left = (pictures.shape[1] - side) // 2, (pictures.shape[2] - side) // 2
    return np.ascontiguousarray(pictures[:, top : top + side, left : left + side])


def read_picture(path: Path, side: int = SIDE) -> Pictures | None:
    """A picture file as the square of `side` px in its middle, uint8 (side, side, 3); None if it is none."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        return None
    height, width = fit(found.shape[0], found.shape[1], side)
    small = cv2.resize(found[..., ::-1], (width, height), interpolation=cv2.INTER_AREA)
    picture: Pictures = centre(np.asarray(small, np.uint8)[None], side)[0]
    return picture


@lru_cache(maxsize=64)  # 6 MB a clip; half a second to make
def _generated(seed: int) -> Clip:
    scene = make_scene(seed, FRAMES)
    return Clip(f"scene {seed}", f"scene {seed}", scene.frames, scene.flow)
