"""Numbers along a video: how much is looked at in each frame, what that loses, what was predicted, how things move.

Frames are gazed 16 at a time, tile by tile. The loss is that of a pasted picture with what earlier frames of the same
16 showed, whether the gaze is made now or was kept by a run; the predicted one is AutoGaze's own word for it, in the
units of its training. Flow is to the next frame of the video, whatever frames were gazed, in px a second.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from analysis.studies.flow import estimate
from analysis.studies.losses import loss_of
from autogaze.anyres import CHUNK, TiledGaze, gaze_video
from autogaze.gaze import PATCH_SIZE, SCALES, Gaze
from autogaze.selectors import Selector, needs_of
from autogaze.tiling import TILE, Picture, Tiling
from evaluators.core.gaze_file import GazeFile, Mask
from evaluators.core.told import told_of
from hlvid.errors import RunError
from hlvid.video import Video, sampling
from hlvid.video.tiles import fit_long_side

SMALL = 224  # px of the longer side for flow: enough to tell motion from none


@dataclass(frozen=True)
class Frame:
    """One gazed frame; `cells`: per scale, coarse first, bool (rows * g, columns * g)."""

    index: int
    seconds: float
    ratio: float
    loss: float
    predicted: float | None
    flow: float
    cells: list[Mask]


@dataclass
class Story:
    """A video and its gazed frames. height, width: of the pictures gazed at. tile: px of a tile's side."""

    path: Path
    duration: float
    fps: float
    height: int
    width: int
    tile: int
    scales: tuple[int, ...]
    looker: str
    frames: list[Frame] = field(default_factory=list)


def watch(
    path: Path,
    selector: Selector,
    *,
    ratio: float | None,
    loss: float | None,
    frames: int,
    width: int,
    question: str | None = None,
) -> Story:
    """Gaze at `frames` frames spread over a video, its longer side `width` px at most.

    Raises RunError for settings that do not go together, VideoError for a video that cannot be read.
    """
    with Video.open(path) as video:
        size = fit_long_side(video.width, video.height, min(width, max(video.width, video.height)))
        indices = sorted(set(sampling.uniform_linspace(video.frame_count, min(frames, video.frame_count))))
        story = Story(path, video.duration, video.fps, *size, TILE, SCALES, selector.name)
        flow = Flow(indices, video.frame_count, video.fps)
        try:
            told = told_of(video, indices, size, needs_of(selector), question)
            for chunk in gaze_video(
                flow.gazed(video, size), selector, ratio=ratio, loss=loss, told=told, indices=indices
            ):
                story.frames += _of_chunk(chunk, selector, indices, video.fps, flow.speeds)
        except ValueError as error:
            raise RunError(f"{path.name}: {error}") from error
    return story


def replay(path: Path, gazes: GazeFile, looker: str) -> Story:
    """The same from gazes that a run kept: losses and flow are computed anew, the gaze is the run's own."""
    tiling, indices = Tiling.of(*gazes.size), sorted(gazes.masks)
    with Video.open(path) as video:
        scales = tuple(side * PATCH_SIZE for side in gazes.sides) if gazes.tile == TILE else ()
        story = Story(path, video.duration, video.fps, *gazes.size, gazes.tile, scales or SCALES, looker)
        native = gazes.tile == TILE
        flow = Flow(indices, video.frame_count, video.fps)
        losses: list[float] = []
        stream = flow.gazed(video, gazes.size)
        while some := list(islice(stream, CHUNK)):
            mine = indices[len(losses) : len(losses) + len(some)]
            losses += _losses(tiling, np.stack(some), gazes, mine) if native else [math.nan] * len(some)
    for index, lost in zip(indices, losses, strict=True):
        mask = gazes.masks[index]
        share = float(mask.sum() / tiling.valid.sum()) if native else float(mask.mean())
        speed = flow.speeds[index]
        story.frames.append(Frame(index, index / story.fps, share, lost, None, speed, gazes.cells(index)))
    return story


class Flow:
    """Mean speed of the picture at gazed frames, found while they pass: px a second of a picture 224 px wide."""

    def __init__(self, indices: Sequence[int], frame_count: int, fps: float) -> None:
        self.indices, self.fps = indices, fps
        last = max(0, frame_count - 2)
        # The last frame has no next one: it stands with the one before it.
        self.pairs = {
            index: (min(index, last), min(min(index, last) + 1, frame_count - 1)) for index in indices
        }
        self.speeds: dict[int, float] = {}

    def gazed(self, video: Video, size: tuple[int, int]) -> Iterator[Picture]:
        """The gazed frames of `size`; `speeds` of each is known when it is given out."""
        wanted = sorted({*self.indices, *(index for pair in self.pairs.values() for index in pair)})
        waiting: list[tuple[int, Picture]] = []
        small: dict[int, Picture] = {}
        for index, picture in video.stream(wanted, size):
            small[index] = _small(picture)
            if index in self.pairs:
                waiting.append((index, picture))
            while waiting and self.pairs[waiting[0][0]][1] <= index:
                at, shown = waiting.pop(0)
                pair = np.stack([small[one] for one in self.pairs[at]])
                self.speeds[at] = float(estimate(pair)[0].mean()) * self.fps
                yield shown
            small = {at: one for at, one in small.items() if at >= index - 1}


def _of_chunk(
    chunk: TiledGaze, selector: Selector, indices: Sequence[int], fps: float, speeds: Mapping[int, float]
) -> Iterator[Frame]:
    tiling = chunk.tiling
    losses = loss_of(chunk.pixels, chunk.gaze).mean(0)
    predicted = _predicted(selector, chunk)
    cells = [tiling.join_patches(mask) for mask in chunk.gaze.scale_masks()]
    shares = chunk.gaze.counts().sum(0) / tiling.valid.sum()
    for t in range(chunk.gaze.frames):
        index = indices[chunk.start + t]
        word = None if predicted is None else float(predicted[t])
        yield Frame(
            index, index / fps, float(shares[t]), float(losses[t]), word, speeds[index], [c[t] for c in cells]
        )


def _predicted(selector: Any, chunk: TiledGaze) -> Tensor | None:
    """AutoGaze's predicted loss after its last token of each frame, mean over tiles: float (T,)."""
    if selector.name != "autogaze":
        return None
    video, gaze = selector.processor.from_unit(chunk.pixels), chunk.gaze
    parts = []
    for at in range(0, gaze.batch, 8):  # few tiles at a time: a forced pass keeps all its activations
        place, empty = gaze.positions[at : at + 8], gaze.padded[at : at + 8]
        with torch.no_grad():
            said = selector.model.teacher_forced(
                video[at : at + 8], replace(gaze, positions=place, padded=empty)
            )
        frames = zip(
            torch.split(said.losses, list(gaze.per_frame), 1),
            torch.split(empty, list(gaze.per_frame), 1),
            strict=True,
        )
        parts.append(torch.stack([_last(losses, padded) for losses, padded in frames], 1))
    return torch.cat(parts).nanmean(0)


def _last(losses: Tensor, padded: Tensor) -> Tensor:
    """The last unpadded of each row, float (B,); NaN where all is padding."""
    if not padded.shape[1]:
        return losses.new_full((len(losses),), torch.nan)
    order = torch.arange(padded.shape[1]).masked_fill(padded, -1).amax(1)
    found = losses.gather(1, order.clamp_min(0)[:, None])[:, 0]
    return found.masked_fill(order < 0, torch.nan)


def _losses(tiling: Tiling, pictures: Picture, gazes: GazeFile, indices: Sequence[int]) -> list[float]:
    """The pasted loss of up to 16 frames, as of a chunk that is gazed now."""
    masks = torch.from_numpy(np.stack([gazes.masks[index] for index in indices], 1))
    lost: list[float] = loss_of(tiling.split(pictures), Gaze.from_masks(masks)).mean(0).tolist()
    return lost


def _small(picture: Picture) -> Picture:
    factor = SMALL / max(picture.shape[:2])
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
