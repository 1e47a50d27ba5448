"""From a video to clips and gazes, in constant memory: at no time are more than 16 frames held.

1,024 frames of 4K are 64 chunks of 16 frames (332 MB each as bytes); of a chunk only
so many tiles as `clips_at_once` says are floats at a time. Frames come from anything that has a size, a frame count
and `stream`: `hlvid.video.Video` as it is. Thumbnails are some of the same frames made small, so that a video is
decoded once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from autogaze.gaze import Gaze
from autogaze.nvila.config import NVILAConfig
from autogaze.nvila.gazing import gaze_for_encoder
from autogaze.nvila.grid import Grid, thumbnails, tile_grid, uniform
from autogaze.nvila.settings import CLIP_FRAMES, CLIPS, Kind, VideoSettings
from autogaze.nvila.stages import Stages
from autogaze.parallel import at_once
from autogaze.selectors.base import Selector, needs_of
from autogaze.selectors.context import Context
from autogaze.selectors.told import Told
from autogaze.tiling import Picture


class FrameSource(Protocol):
    """An open video. `stream` gives each distinct frame of `indices` once, ascending, uint8 (H, W, 3)."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def frame_count(self) -> int: ...

    def stream(
        self, indices: Sequence[int], size: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, Picture]]: ...


@dataclass(frozen=True)
class VideoPlan:
    """What will be seen: frame numbers, which of them (places in the list) also as thumbnails, the tiles."""

    indices: tuple[int, ...]
    thumbnails: tuple[int, ...]
    grid: Grid

    @property
    def chunks(self) -> int:
        """Clips of 16 frames that a tile has."""
        return len(self.indices) // CLIP_FRAMES


@dataclass(frozen=True)
class ClipBatch:
    """Some clips of one chunk and their gaze.

    pixels: float (B, T, 3, S, S) in [0, 1]; T is 16 for tiles, 1 for thumbnails.
    chunk: which 16 frames; first: the first clip's number, of its kind, in that chunk.
    """

    kind: Kind
    chunk: int
    first: int
    pixels: Tensor
    gaze: Gaze


def plan_video(width: int, height: int, frame_count: int, settings: VideoSettings, side: int) -> VideoPlan:
    """Frames, thumbnails and tiles for a video of this size and length.

    A video that has fewer frames than asked gives each of them, repeated only to fill its last clip of 16.
    """
    count = min(settings.num_video_frames, -(-frame_count // CLIP_FRAMES) * CLIP_FRAMES)
    return VideoPlan(
        indices=tuple(uniform(frame_count, count)),
        thumbnails=tuple(thumbnails(count, min(count, settings.num_video_frames_thumbnail))),
        grid=tile_grid(width, height, settings.max_tiles_video, side),
    )


def stream(
    source: FrameSource,
    plan: VideoPlan,
    config: NVILAConfig,
    settings: VideoSettings,
    selector: Selector | None,
    device: torch.device | str = "cpu",
    stages: Stages | None = None,
    told: Told | None = None,
) -> Iterator[ClipBatch]:
    """Clips with their gazes: of each chunk first the tiles, row by row, then the thumbnails.

    told: for a selector that needs more than pixels; its maps are of the plan's frames at the size of its grid.
    """
    stages, told = stages or Stages(device), told or Told()
    needs = () if selector is None else needs_of(selector)
    chunks, grid = _chunks(source, plan, settings.resize), plan.grid
    most = clips_at_once(settings, config, selector, device, grid.tiles)
    shared = (grid.rows, grid.columns) if settings.gazing_budget == "picture" and selector else None
    for number in range(plan.chunks):
        with stages.measure("decode"):
            frames, small = next(chunks)
        # Thumbnails of one batch are of different times.
        for kind, first, pixels in _clips(frames, small, plan, most, 1 if "times" in needs else most):
            with stages.measure("selector"), torch.no_grad():
                clips = _floats(pixels, device)
                context = _told(told, needs, plan, number, kind, first, len(clips)) if needs else None
                tiles = shared if kind == "tile" else None
                gaze = gaze_for_encoder(clips, selector, config, settings, kind, context, tiles)
            yield ClipBatch(kind, number, first, clips, gaze)


def clips_at_once(
    settings: VideoSettings,
    config: NVILAConfig,
    selector: Selector | None,
    device: torch.device | str,
    tiles: int,
) -> int:
    """Clips to gaze at and encode together: as the settings say, else by a GPU's free memory, else 16.

    tiles: of a frame.
    """
    device = torch.device(device)
    told = settings.together(tiles) if selector else settings.max_batch_size_autogaze
    if told is not None:
        return told
    # Where clips influence each other, who goes together must not depend on a machine.
    if device.type != "cuda" or getattr(selector, "published_batching", False):
        return CLIPS
    # Clips, the same normalised, AutoGaze's cuts of them and the encoder's patches: as floats some ten times over.
    return at_once(device, 10 * CLIP_FRAMES * 3 * config.tile**2 * 4)


def normalise(pixels: Tensor, settings: VideoSettings) -> Tensor:
    """[0, 1] to what the encoder was trained on."""
    return pixels.sub(settings.image_mean).div_(settings.image_std)  # in place: clips are large


def expand(ids: Sequence[int], placeholder: int, count: int) -> list[int]:
    """Token ids with the one placeholder repeated `count` times.

    Raises ValueError unless the placeholder occurs exactly once.
    """
    if list(ids).count(placeholder) != 1:
        raise ValueError(f"prompt: {list(ids).count(placeholder)} video placeholders, expected exactly one")
    at = list(ids).index(placeholder)
    return [*ids[:at], *[placeholder] * count, *ids[at + 1 :]]


def _chunks(source: FrameSource, plan: VideoPlan, how: str) -> Iterator[tuple[Picture, list[Picture]]]:
    """16 frames at the size of the tiles, uint8 (16, height, width, 3), and their thumbnails, (side, side, 3) each.

    The frames are overwritten for the next chunk. A frame that stands in several places is decoded and resized once.
    """
    size, side = plan.grid.size, plan.grid.side
    chunk = np.empty((CLIP_FRAMES, *size, 3), np.uint8)
    wholes = source.stream(sorted(set(plan.indices)), None if how == "pil" else size)
    small: list[Picture] = []
    index, whole = next(wholes)
    frame, also = _fit(whole, size), set(plan.thumbnails)
    for place, wanted in enumerate(plan.indices):
        if index != wanted:
            while index != wanted:
                index, whole = next(wholes)
            frame = _fit(whole, size)
        chunk[place % CLIP_FRAMES] = frame
        if place in also:
            small.append(_fit(whole, (side, side)))
        if place % CLIP_FRAMES == CLIP_FRAMES - 1:
            yield chunk, small
            small = []


def _fit(picture: Picture, size: tuple[int, int]) -> Picture:
    """A picture at (height, width), by Pillow's bicubic filter."""
    if picture.shape[:2] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC))


def _clips(
    frames: Picture, small: list[Picture], plan: VideoPlan, batch: int, small_batch: int
) -> Iterator[tuple[Kind, int, Picture]]:
    """(kind, number of the first clip, uint8 (B, T, side, side, 3)), a few clips at a time."""
    for first in range(0, plan.grid.tiles, batch):
        yield "tile", first, _tiles(frames, plan.grid, range(first, min(first + batch, plan.grid.tiles)))
    for first in range(0, len(small), small_batch):
        yield "thumbnail", first, np.stack(small[first : first + small_batch])[:, None]


def _tiles(frames: Picture, grid: Grid, numbers: Iterable[int]) -> Picture:
    """Tiles of frames (T, H, W, 3): uint8 (B, T, side, side, 3)."""
    corners = [grid.corner(number) for number in numbers]
    return np.stack([frames[:, top : top + grid.side, left : left + grid.side] for top, left in corners])


def _told(
    told: Told, needs: Sequence[str], plan: VideoPlan, chunk: int, kind: Kind, first: int, count: int
) -> Context | None:
    """What is needed for a batch of clips, cut as they are."""
    start = chunk * CLIP_FRAMES
    if kind == "tile":
        indices = plan.indices[start : start + CLIP_FRAMES]
        numbers = range(first, first + count)
        return told.context(needs, indices, lambda maps: _floats(_tiles(maps, plan.grid, numbers)))
    places = [place for place in plan.thumbnails if start <= place < start + CLIP_FRAMES]
    indices = tuple(plan.indices[place] for place in places[first : first + count])
    side = (plan.grid.side, plan.grid.side)
    return told.context(
        needs, indices, lambda maps: _floats(np.stack([_fit(one, side) for one in maps])[:, None])
    )


def _floats(clips: Picture, device: torch.device | str = "cpu") -> Tensor:
    """uint8 (B, T, side, side, 3) -> float (B, T, 3, side, side) in [0, 1] on a device, where bytes get sooner."""
    return torch.from_numpy(clips).to(device).permute(0, 1, 4, 2, 3).float() / 255
