"""Generated strips of neighbouring tiles with lines of text, as tensors on any device: a GPU draws thousands a second.

`lay` gives lines a place, `paint` makes pixels of them, `gaze` says which patches a gaze that follows text sees.

A line stands at the coarsest scale at which a gaze for reading takes it, its capitals 6 to 12 px high there; what was
painted later hides what was painted earlier, and the last line of each strip is whole. `letters` are the characters
with their middle in a patch, at most two; 0 where there is none, -100 where it cannot be told. A line may go on from
one tile to the next, as large lettering of a 4K video does.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from autogaze.encoders.patches import Grid
from autogaze.training.reading.glyphs import CAP, TALL, TOP, Atlas

SLOTS = 2
"""Characters of one patch."""
IGNORE = -100
CAPS = (5.9, 13.0)
SCALE_SHARES = (0.1, 0.16, 0.24, 0.5)
CUT = 0.3
"""Share of a character that may lie in the next tile; of one cut further is not asked."""
BOLD = 0.5


@dataclass(frozen=True)
class Strips:
    """B strips of T tiles with L lines: text long (B, L, C); font, scale long (B, L); cap, x, y float (B, L), px of the
    strip at its tiles' full size, of a line's capitals; rim: of its plate. B, L first everywhere."""

    grid: Grid
    atlas: Atlas
    tiles: int
    text: Tensor
    font: Tensor
    scale: Tensor
    cap: Tensor
    x: Tensor
    y: Tensor
    rim: Tensor

    @property
    def side(self) -> int:
        """Of a tile, px."""
        return self.grid.scales[-1]

    @property
    def ends(self) -> Tensor:
        """Where characters end, px from the line's begin: float (B, L, C)."""
        return self.atlas.ends(self.text, self.font) * (self.cap / CAP)[..., None]

    @property
    def boxes(self) -> Tensor:
        """Of the capitals: float (B, L, 4), left, top, right, bottom."""
        return torch.stack([self.x, self.y, self.x + self.ends[..., -1], self.y + self.cap], -1)


def lay(text: Tensor, tiles: int, grid: Grid, atlas: Atlas, draw: torch.Generator) -> Strips:
    """Give every line of text (B, L, C) a font, a size and a place. The last line of a strip lies inside it whole."""
    B, L, _ = text.shape
    device, side = text.device, grid.scales[-1]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(B, L, generator=draw, device=device)

    font = torch.randint(len(atlas.advances), (B, L), generator=draw, device=device)
    font = torch.where(uniform(0, 1) < BOLD, atlas.bold, font)
    shares = torch.tensor(SCALE_SHARES, device=device)
    scale = torch.multinomial(shares.expand(B * L, -1), 1, generator=draw).view(B, L)
    zoom = side / torch.tensor(grid.scales, device=device, dtype=torch.float32)
    low, high = math.log(CAPS[0]), math.log(CAPS[1])
    cap, length = uniform(low, high).exp(), atlas.ends(text, font)[..., -1] / CAP
    for _ in grid.scales:  # what is asked for fits
        large = cap[:, -1] * zoom[scale[:, -1]] * length[:, -1] > side * tiles - 8
        scale[:, -1] = torch.where(large, scale[:, -1] + 1, scale[:, -1]).clamp_max(len(grid.scales) - 1)
    cap = cap * zoom[scale]
    wide = length * cap
    room = side * tiles - wide - 4
    inside = torch.where(
        room > 2, 2 + uniform(0, 1) * (room - 2), torch.minimum(room, torch.zeros_like(room) + 2)
    )
    over = uniform(0, 1) * (side * tiles + 0.6 * wide) - 0.6 * wide
    x = torch.where(uniform(0, 1) < 0.2, over, inside)
    x[:, -1] = inside[:, -1]
    y = 2 + uniform(0, 1) * (side - 4 - cap).clamp_min(0)
    return Strips(grid, atlas, tiles, text, font, scale, cap, x, y, cap * uniform(0.25, 1.2) + 1)


def gaze(strips: Strips, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """`count` patches of every tile, ascending, those of lines first of all, and their letters; see the module."""
    place, scale = _patches(strips.grid, strips.tiles, strips.text.device)
    B, T, N = len(strips.text), strips.tiles, strips.grid.tokens
    letters = strips.text.new_zeros(B, T * N + 1, SLOTS)
    seen = torch.zeros(B, T * N, dtype=torch.bool, device=strips.text.device)
    boxes = strips.boxes
    for line in range(strips.text.shape[1]):
        covered = _touch(place, _rimmed(boxes, strips.rim)[:, line, None])
        own = _touch(place, boxes[:, line, None]) & (scale == strips.scale[:, line, None])
        letters[:, :-1][covered] = IGNORE
        letters[:, :-1][own] = 0
        seen |= own
        _write(letters, strips, line)
    wish = seen.view(B, T, N) * 2.0 + torch.rand(B, T, N, generator=draw, device=seen.device)
    tokens = wish.topk(count, -1).indices.sort(-1).values
    letters = letters[:, :-1].view(B, T, N, SLOTS)
    return tokens, letters.gather(2, tokens[..., None].expand(-1, -1, -1, SLOTS))


def _write(letters: Tensor, strips: Strips, line: int) -> None:
    """Note the characters of each strip's line in `letters` (B, T * N + 1, 2); its last row takes what is outside."""
    grid, side, text = strips.grid, strips.side, strips.text[:, line]
    sides = torch.tensor(grid.sides, device=text.device)
    starts = torch.cat([sides.new_zeros(1), (sides * sides).cumsum(0)])
    ends = strips.ends[:, line] + strips.x[:, line, None]
    begins = torch.cat([strips.x[:, line, None], ends[:, :-1]], 1)
    middle, scale = (begins + ends) / 2, strips.scale[:, line, None]
    tile = (middle / side).floor().long()
    unit = side / sides[scale]  # a patch, px
    column = ((middle - tile * side) / unit).long().minimum(sides[scale] - 1)
    row = ((strips.y + strips.cap / 2)[:, line, None] / unit).long().minimum(sides[scale] - 1)
    where = tile * grid.tokens + starts[scale] + row * sides[scale] + column
    valid = (text > 0) & (tile >= 0) & (tile < strips.tiles)
    where = torch.where(valid, where, letters.shape[1] - 1)
    outside = (tile * side - begins).clamp_min(0) + (ends - (tile + 1) * side).clamp_min(0)
    said = torch.where(outside > CUT * (ends - begins), IGNORE, text)
    before = F.pad(where, (2, 0), value=-1)
    second, third = before[:, 1:-1] == where, before[:, :-2] == where
    where = torch.where(third, letters.shape[1] - 1, where)
    rows = torch.arange(len(where), device=where.device)[:, None].expand_as(where)
    letters[rows, where, second.long()] = said


def _patches(grid: Grid, tiles: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Boxes of a strip's patches, float (T * N, 4) in px, and their scales, long (T * N,)."""
    boxes, scales, full = [], [], grid.scales[-1]
    for s, side in enumerate(grid.sides):
        unit = full / side
        top, left = (torch.arange(side * side, device=device) // side * unit for _ in range(2))
        left = torch.arange(side * side, device=device) % side * unit
        boxes.append(torch.stack([left, top, left + unit, top + unit], -1))
        scales.append(torch.full((side * side,), s, device=device))
    one = torch.cat(boxes)
    shift = torch.arange(tiles, device=device)[:, None, None] * torch.tensor(
        [full, 0, full, 0], device=device
    )
    return (one + shift).flatten(0, 1), torch.cat(scales).repeat(tiles)


def _rimmed(boxes: Tensor, rim: Tensor) -> Tensor:
    return torch.cat([boxes[..., :2] - rim[..., None], boxes[..., 2:] + rim[..., None]], -1)


def _touch(one: Tensor, other: Tensor) -> Tensor:
    """Which boxes overlap."""
    return (
        (one[..., 0] < other[..., 2])
        & (one[..., 2] > other[..., 0])
        & (one[..., 1] < other[..., 3])
        & (one[..., 3] > other[..., 1])
    )


def paint(strips: Strips, grounds: Tensor, draw: torch.Generator) -> Tensor:
    """Pixels, float (B, T, 3, side, side) in [0, 1]. grounds: uint8 (G, 3, side, side)."""
    B, T, side, device = len(strips.text), strips.tiles, strips.side, strips.text.device

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=draw, device=device)

    chosen = torch.randint(len(grounds), (B, T), generator=draw, device=device)
    tiles = grounds[chosen].float() / 255
    tiles = torch.where(rand(B, T, 1, 1, 1) < 0.5, tiles, tiles.flip(-1))
    tiles = (tiles * (0.5 + rand(B, 1, 3, 1, 1)) + 0.4 * (rand(B, 1, 3, 1, 1) - 0.5)).clamp(0, 1)
    picture = tiles.permute(0, 2, 3, 1, 4).reshape(B, 3, side, T * side)
    down, across = torch.arange(side, device=device) + 0.5, torch.arange(T * side, device=device) + 0.5
    boxes, shown = _rimmed(strips.boxes, strips.rim), rand(B, strips.text.shape[1])
    for line in range(strips.text.shape[1]):
        ink, plate = _colours(rand(2, 6, B, 3))
        left, top, right, bottom = (v[:, None] for v in boxes[:, line].unbind(-1))
        inside = ((down >= top) & (down < bottom))[:, None, :, None] & ((across >= left) & (across < right))[
            :, None, None
        ]
        strength = torch.where(shown[:, line] < 0.85, 0.95, 0.65)[:, None, None, None]
        grain = (rand(B, 1, side, T * side) - 0.5) * (0.08 * rand(B, 1, 1, 1))
        picture = torch.lerp(picture, plate[..., None, None] + grain, inside * strength)
        picture = torch.lerp(picture, ink[..., None, None], _ink(strips, line, across, down))
    soft = F.avg_pool2d(picture, 3, 1, 1, count_include_pad=False)
    picture = torch.lerp(picture, soft, rand(B, 1, 1, 1) * 0.8 - 0.3)  # from sharpened to blurred
    picture = picture + torch.randn(picture.shape, generator=draw, device=device) * (
        0.04 * rand(B, 1, 1, 1) ** 2
    )
    return picture.clamp(0, 1).view(B, 3, side, T, side).permute(0, 3, 1, 2, 4)


def _ink(strips: Strips, line: int, across: Tensor, down: Tensor) -> Tensor:
    """How much of a line's ink covers each pixel: float (B, 1, side, T * side)."""
    lines = strips.atlas.set(strips.text[:, line], strips.font[:, line])
    zoom = (strips.cap[:, line] / CAP)[:, None]
    u = (across - strips.x[:, line, None]) / zoom / lines.shape[-1] * 2 - 1
    v = ((down - strips.y[:, line, None]) / zoom + TOP) / TALL * 2 - 1
    flat = torch.zeros(len(u), len(down), len(across), device=u.device)
    place = torch.stack([flat + u[:, None], flat + v[:, :, None]], -1)
    found = F.grid_sample(lines, place, align_corners=False)
    level = (zoom < 0.5).long() + (zoom < 0.28).long()
    return found.gather(1, level[..., None, None].expand(-1, 1, *found.shape[2:]))


def _colours(candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Ink and plate: of pairs, float (2, n, B, 3), the one farthest apart in grey."""
    grey = candidates @ candidates.new_tensor([0.3, 0.59, 0.11])
    best = (grey[0] - grey[1]).abs().argmax(0)
    ink, plate = candidates[:, best, torch.arange(len(best), device=best.device)]
    return ink, plate
