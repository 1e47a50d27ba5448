"""Tiles with lines of text whose place is known, composed as tensors on any device: thousands a second on a GPU.

`gains` is what each token is worth to the objective `text` before anything is seen: `LINE` a line, shared by the tokens
that show it at the coarsest scale that can be read; all else is worth nothing. Half of the tiles have no text, and
plates, poles, marks too small to read and all that the grounds hold are there to be told from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from autogaze.gaze import SCALES
from autogaze.training.text_strips import CAP, STRIP, Drawn, Strips, worth

SIZE = SCALES[-1]
LINES = 3
CAPS = (4.0, 64.0)
MOST = 6.0
"""Standard deviation of noise, grey levels at most."""


@dataclass(frozen=True)
class Scene:
    """See the module."""

    pictures: Tensor
    gains: Tensor
    spare: Tensor


class Scenes:
    """Composes tiles; `grounds` may grow while it does (see `add`)."""

    def __init__(self, grounds: Tensor, lines: Strips, device: str = "cpu") -> None:
        self.device, self.widths = device, lines.widths
        self.grounds = grounds.to(device)
        full = lines.masks.to(device).float()[:, None] / 255
        # Small letters are drawn from small strips: sampling has no filter of its own.
        self.levels = [F.avg_pool2d(full, 2**n).half() if n else full.half() for n in range(4)]

    def add(self, grounds: Tensor) -> None:
        """More grounds, uint8 (N, 3, S, S)."""
        self.grounds = torch.cat([self.grounds, grounds.to(self.device)])

    def _put(self, values: NDArray[Any]) -> Tensor:
        """On the device, without waiting for what it is doing."""
        return torch.from_numpy(values).to(self.device, non_blocking=True)

    def batch(self, draw: np.random.Generator, count: int) -> Scene:
        """See the module."""
        drawn = self.drawn(draw, count)
        return self.composed(drawn, *worth(drawn), draw)

    def composed(
        self, drawn: Drawn, gains: NDArray[np.float32], spare: NDArray[np.bool_], draw: np.random.Generator
    ) -> Scene:
        """The tiles for what was drawn, which another thread may have done."""
        count = len(gains)
        generator = torch.Generator(self.device).manual_seed(int(draw.integers(2**62)))
        pictures = self.ground(generator, count)
        for line in range(LINES):
            pictures = self._line(pictures, drawn, line, draw, generator)
        pictures = _recorded(pictures, generator)
        return Scene(pictures, self._put(gains), self._put(spare))

    def ground(self, generator: torch.Generator, count: int, shift: int = 0, frames: int = 1) -> Tensor:
        """Windows of grounds in other colours, float (count * frames, 3, 224, 224); they move by up to `shift` px
        from frame to frame."""
        random, room = _random(generator, self.device), self.grounds.shape[-1] - SIZE
        index = (random(count) * len(self.grounds)).long().repeat_interleave(frames)
        steps = torch.arange(frames, device=self.device).repeat(count)
        corner, speed = random(count, 2).repeat_interleave(frames, 0), random(count, 2) * 2 - 1
        corner = (corner * room + steps[:, None] * speed.repeat_interleave(frames, 0) * shift).round()
        corner = corner.clamp(0, room).long()
        rows, columns = (corner[:, n, None] + torch.arange(SIZE, device=self.device) for n in range(2))
        shown = self.grounds[index[:, None, None], :, rows[:, :, None], columns[:, None, :]]
        pictures = shown.permute(0, 3, 1, 2).float() / 255
        turned, flipped, strong, bright = (
            part.repeat_interleave(frames)[:, None, None, None]
            for part in (random(count), random(count), random(count), random(count))
        )
        pictures = torch.where(flipped < 0.5, pictures.flip(-1), pictures)
        pictures = torch.where(
            turned < 0.3, pictures.roll(1, 1), torch.where(turned < 0.4, 1 - pictures, pictures)
        )
        return ((pictures - 0.5) * (0.5 + 0.7 * strong) + 0.4 + 0.2 * bright).clamp(0, 1)

    def drawn(self, draw: np.random.Generator, count: int) -> Drawn:
        """Which lines there are and where; one that would touch an earlier one is left out."""
        shape = (count, LINES)
        number = draw.choice(LINES + 1, count, p=[0.35, 0.25, 0.2, 0.2])
        strip = draw.integers(len(self.widths), size=shape)
        cap = np.exp(draw.uniform(np.log(CAPS[0]), np.log(CAPS[1]), shape))
        wide = self.widths[strip] * cap / CAP
        left = np.where(
            draw.random(shape) < 0.7,
            draw.uniform(0, 1, shape) * (SIZE - wide),
            draw.uniform(-0.6, 0.9, shape) * SIZE,
        )
        top = draw.uniform(-0.3, 1, shape) * cap + draw.uniform(0, 1, shape) * (SIZE - cap)
        box = np.stack([left, top, left + wide, top + cap], -1)
        there = np.arange(LINES) < number[:, None]
        rim = cap[..., None] * 0.8 * np.array([-1, -1, 1, 1]) + np.array([-3, -3, 3, 3])
        for n in range(1, LINES):
            for before in range(n):
                one, other = box[:, n] + rim[:, n], box[:, before] + rim[:, before]
                apart = (one[:, :2] > other[:, 2:]).any(1) | (other[:, :2] > one[:, 2:]).any(1)
                there[:, n] &= apart | ~there[:, before]
        return Drawn(there, there & (draw.random(shape) < 0.8), strip, cap, box)

    def _line(
        self, pictures: Tensor, drawn: Drawn, n: int, draw: np.random.Generator, generator: torch.Generator
    ) -> Tensor:
        """Write line `n` on the tiles that have one, most on a plate; some plates are empty."""
        tiles = drawn.there[:, n].nonzero()[0]
        if not len(tiles):
            return pictures
        level = np.clip(np.floor(np.log2(CAP / drawn.cap[tiles, n])), 0, 3).astype(int)
        tiles = tiles[np.argsort(level, kind="stable")]  # those of a level follow each other
        level = np.sort(level, kind="stable")
        ink = torch.cat([self._ink(drawn, tiles[level == one], n, one) for one in np.unique(level)])
        there = self._put(drawn.written[tiles, n])
        plates, colours = self._plates(drawn, tiles, n, draw), self._colours(draw, len(tiles))
        index = self._put(tiles)
        under = pictures[index]
        for cover, colour in zip(plates, colours[1:], strict=True):
            under = under + (colour - under) * cover
        faint = _random(generator, self.device)(len(tiles), 1, 1, 1) * 0.15
        under = under + (colours[0] - under) * ink * there[:, None, None, None] * (1 - faint)
        return pictures.index_copy(0, index, under)

    def _ink(self, drawn: Drawn, tiles: NDArray[np.int64], n: int, level: int) -> Tensor:
        """How much of every pixel of tiles (M,) is ink: (M, 1, 224, 224), of lines whose strips are of this level."""
        zoom = drawn.cap[tiles, n] / CAP
        left, middle = drawn.box[tiles, n, 0], drawn.box[tiles, n, 1::2].mean(-1)
        # From px of the tile to px of the full strip, and to [-1, 1].
        zooms = np.stack([2 / zoom / STRIP[1], 2 / zoom / STRIP[0]], -1)
        shifts = np.stack([-left * zooms[:, 0] - 1, -middle * zooms[:, 1]], -1)
        scale, shift = (self._put(part.astype(np.float32)) for part in (zooms, shifts))
        place = torch.arange(SIZE, device=self.device) + 0.5
        x, y = (place * scale[:, axis, None] + shift[:, axis, None] for axis in range(2))
        grid = torch.stack([x[:, None].expand(-1, SIZE, -1), y[:, :, None].expand(-1, -1, SIZE)], -1)
        masks = self.levels[level][self._put(drawn.strip[tiles, n])].float()
        return F.grid_sample(masks, grid, align_corners=False)

    def _plates(
        self, drawn: Drawn, tiles: NDArray[np.int64], n: int, draw: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Rim and face of each line's plate, (M, 1, 224, 224) each; three in ten lines stand on the ground itself."""
        count, cap = len(tiles), drawn.cap[tiles, n, None]
        plain = ~drawn.written[tiles, n] | (draw.random(count) < 0.7)
        cover = plain * np.where(draw.random(count) < 0.8, 1.0, draw.uniform(0.5, 1, count))
        room = cap * draw.uniform(0.3, 2.5, (count, 4)) * np.array([0.8, 0.6, 0.8, 0.6]) + 2
        edge = np.where(draw.random((count, 1)) < 0.5, draw.uniform(0.5, 4, (count, 1)), 0)
        out = np.array([-1, -1, 1, 1])
        face = drawn.box[tiles, n] + room * out
        return self._area(face + edge * out, cover), self._area(face, cover)

    def _area(self, box: NDArray[np.float64], cover: NDArray[np.float64]) -> Tensor:
        """Boxes (M, 4) with soft edges, each as opaque as told."""
        sides = self._put(box.astype(np.float32))[..., None]
        place = torch.arange(SIZE, device=self.device) + 0.5
        x, y = ((place - sides[:, n]).clamp(0, 1) * (sides[:, n + 2] - place).clamp(0, 1) for n in range(2))
        opaque = self._put(cover.astype(np.float32))
        return (y[:, :, None] * x[:, None] * opaque[:, None, None])[:, None]

    def _colours(self, draw: np.random.Generator, count: int) -> Tensor:
        """Of ink, rim and face: (3, M, 3, 1, 1); ink and face differ by a tenth of the range or much more."""
        middle, apart = (
            draw.uniform(0.2, 0.8, (count, 1)),
            np.abs(draw.normal(0.5, 0.25, (count, 1))).clip(0.14),
        )
        sign = np.where(draw.random((count, 1)) < 0.5, -0.5, 0.5)
        tint = draw.normal(0, 0.15, (3, count, 3))
        tint -= tint.mean(-1, keepdims=True)
        ink, face = middle + sign * apart, middle - sign * apart
        rim = np.where(draw.random((count, 1)) < 0.7, ink, draw.random((count, 1)))
        colours = (np.stack([ink, rim, face]) + tint).clip(0, 1)
        return self._put(colours.astype(np.float32))[..., None, None]


def _recorded(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """As a camera and a codec leave them, each in part: blurred, noisy, frequencies of 8 px blocks rounded."""
    random = _random(generator, pictures.device)
    count = len(pictures)
    amount, noise, blocks = (random(count, 1, 1, 1) for _ in range(3))
    kernel, basis = _filters(pictures.device)
    soft = F.conv2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
    pictures = pictures + (soft - pictures) * ((amount - 0.4) * 1.6).clamp(min=0)
    grain = torch.randn(pictures.shape, generator=generator, device=pictures.device)
    pictures = pictures + grain * ((noise - 0.5).clamp(min=0) * 2 * MOST / 255)
    cells = pictures.view(count, 3, SIZE // 8, 8, SIZE // 8, 8)
    found = (cells @ basis.T).transpose(3, 5) @ basis.T
    wave = torch.arange(8, device=pictures.device)
    step = (1 + wave[:, None, None] + wave) * ((blocks - 0.5).clamp(min=0.002) * 0.03)[..., None, None]
    coded = ((found / step).round() * step @ basis).transpose(3, 5) @ basis
    return torch.where(blocks > 0.5, coded.reshape(pictures.shape), pictures).clamp(0, 1)


@cache
def _filters(device: torch.device) -> tuple[Tensor, Tensor]:
    """A blur of three px, (3, 1, 3, 3), and the cosines of blocks of eight, (8, 8)."""
    line = torch.tensor([0.25, 0.5, 0.25], device=device)
    wave = torch.arange(8, device=device)
    basis = torch.cos((wave + 0.5) * wave[:, None] * torch.pi / 8) * 0.5
    basis[0] *= 0.5**0.5
    return (line[:, None] * line).expand(3, 1, 3, 3), basis


def _random(generator: torch.Generator, device: torch.device | str) -> Callable[..., Tensor]:
    def random(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device)

    return random
