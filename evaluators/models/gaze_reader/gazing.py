"""Gaze at the frames of a video and rebuild what was seen, a few frames at a time."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import torch

from autogaze import selectors
from autogaze.gaze import PATCH_SIZE, SCALES, Gaze
from autogaze.reconstruction.paste import rebuild
from autogaze.selectors.base import Selector
from autogaze.selectors.told import Told
from autogaze.tiling import TILE, Picture, Tiling
from evaluators.models.gaze_reader.settings import ReaderSettings
from hlvid.errors import RunError

AT_ONCE = 4
"""Frames gazed in one call, at most, where the selector's history allows it."""
PIXELS_AT_ONCE = 8_000_000
"""And so many pixels of them: one frame of 4K, which is 87 MB as floats, and selectors hold several such."""


def at_once(height: int, width: int) -> int:
    """Frames of this size that are gazed in one call."""
    return max(1, min(AT_ONCE, PIXELS_AT_ONCE // (height * width)))


@dataclass(frozen=True)
class Look:
    """One frame, gazed.

    index: of the frame in the video. original, rebuilt: uint8 (H, W, 3) RGB. gaze: of the tiles, one frame.
    """

    index: int
    original: Picture
    rebuilt: Picture
    gaze: Gaze
    tiling: Tiling

    def views(self) -> Iterator["View"]:
        """What each scale showed, finest first; scales at which nothing was gazed are left out."""
        original, rebuilt = (self.tiling.pad(one[None])[0] for one in (self.original, self.rebuilt))
        for scale, mask in reversed(list(zip(SCALES, self.gaze.scale_masks(), strict=True))):
            seen = self.tiling.join_patches(mask)[0]
            if seen.any():
                sharp, context = (_at_scale(one, scale) for one in (original, rebuilt))
                pixels = seen.repeat(PATCH_SIZE, 0).repeat(PATCH_SIZE, 1)
                yield View(scale, np.where(pixels[..., None], sharp, context), seen)


@dataclass(frozen=True)
class View:
    """A picture as one scale shows it.

    scale: px a tile. picture: uint8 (rows * scale, columns * scale, 3): patches gazed at this scale exactly
    as seen, around them what other scales tell. seen: bool (rows * scale / 16, ...), the patches gazed at
    this scale.
    """

    scale: int
    picture: Picture
    seen: npt.NDArray[np.bool_]


class Looker:
    """A selector at work on pictures of one size; counts seconds by stage and tokens as it goes.

    tokens_selected, tokens_valid, tokens_all: sums over frames of tokens gazed, of tokens that show
    picture, and of all tokens, padding included: the gazing ratio is kept under both conventions.
    """

    def __init__(self, settings: ReaderSettings, tiling: Tiling, told: Told | None = None) -> None:
        self.settings, self.tiling, self.told = settings, tiling, told or Told()
        self.selector = selector_of(settings)
        self.seconds = {"select": 0.0, "rebuild": 0.0}
        self.tokens_selected = self.tokens_valid = self.tokens_all = 0

    def looks(self, frames: Iterable[tuple[int, Picture]]) -> Iterator[Look]:
        """Each frame gazed; the selector sees the earlier frames that its `history` asks for.

        Where that is all of them and a clip has an end (`clip_frames`), the video is gazed clip by clip.
        """
        history = self.selector.history
        needs = selectors.needs_of(self.selector)
        earlier: list[tuple[int, Picture]] = []
        few = at_once(self.tiling.height, self.tiling.width)
        for group in _groups(frames, few if history is not None else self.selector.clip_frames):
            shown = [*earlier, *group]
            started = time.perf_counter()
            clips = self.tiling.split(np.stack([picture for _, picture in shown]))
            gaze = selectors.look(
                self.selector,
                clips,
                self.told.context(needs, [index for index, _ in shown], self.tiling.split),
                ratio=self.settings.ratio,
                loss=self.settings.loss,
                valid=self.tiling.valid,
                layout=self.tiling.layout,
            )
            self.seconds["select"] += time.perf_counter() - started
            for t, (index, picture) in enumerate(group, start=len(earlier)):
                yield self._look(index, picture, clips[:, t : t + 1], gaze.masks()[:, t : t + 1])
            earlier = shown[-history:] if history else []

    def _look(self, index: int, picture: Picture, clip: torch.Tensor, mask: torch.Tensor) -> Look:
        started = time.perf_counter()
        gaze = Gaze.from_masks(mask)
        rebuilt = self.tiling.join(rebuild(clip, gaze))[0]
        self.seconds["rebuild"] += time.perf_counter() - started
        self.tokens_selected += int(mask.sum())
        self.tokens_valid += int(self.tiling.valid.sum())
        self.tokens_all += self.tiling.valid.numel()
        return Look(index, picture, rebuilt, gaze, self.tiling)


@lru_cache(maxsize=1)
def selector_of(settings: ReaderSettings) -> Selector:
    """The selector that the settings name, made once: a learned one has weights to load.

    Raises RunError where it cannot be made, for example without its checkpoint.
    """
    try:
        return selectors.get(settings.selector, **settings.selector_settings())
    except ValueError as error:
        raise RunError(f"gaze_reader: {error}") from error


def _at_scale(picture: Picture, scale: int) -> Picture:
    """Area-averaged to `scale` px a tile; patches lie on whole pixels, so none takes from its neighbour."""
    if scale == TILE:
        return picture
    height, width = (side * scale // TILE for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _groups(frames: Iterable[tuple[int, Picture]], size: int | None) -> Iterator[list[tuple[int, Picture]]]:
    """Lists of at most `size` frames; one list of all where size is None."""
    group: list[tuple[int, Picture]] = []
    for frame in frames:
        group.append(frame)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
