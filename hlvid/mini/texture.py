"""Surfaces: asphalt, brick, wood, foliage, paint, fabric. Pure functions of (seed, size), in integers.

Real scenes have detail everywhere; a benchmark whose only edges are the answers could be solved by looking
for edges. Each function gives RGB, uint8 (height, width, 3)::

    wall = brick(seed=3, height=400, width=900)
    rough = clouds(seed=3, height=400, width=900, octaves=(6, 4, 2))   # one channel, 0..255

All use 8-bit resizing (fixed-point in Pillow) and integer sums, so the same bytes come out everywhere.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hlvid.mini.canvas import bicubic
from hlvid.mini.chance import noise, seed_of

Grey = NDArray[np.uint8]
RGB = NDArray[np.uint8]
Colour = tuple[int, int, int]


def clouds(
    seed: int, height: int, width: int, octaves: Sequence[int] = (7, 5, 3, 1), stretch: int = 0
) -> Grey:
    """Multi-octave noise, uint8 (height, width), mean about 128.

    Args:
        octaves: sizes of the blobs as powers of two; each next one counts half as much.
        stretch: blobs are 2**stretch times as wide as high (wood grain, brushed metal).
    """
    total = np.zeros((height, width), np.int32)
    weight_sum, weight = 0, 1 << len(octaves)
    for octave in octaves:
        rows, columns = (height >> octave) + 2, (width >> (octave + stretch)) + 2
        grid = noise(seed_of(seed, octave), rows, columns)
        total += weight * bicubic(grid, width, height).astype(np.int32)
        weight_sum += weight
        weight //= 2
    spread = (total // weight_sum - 128) * 2 + 128  # averaging octaves flattens the contrast
    return np.clip(spread, 0, 255).astype(np.uint8)


def tint(grey: Grey, dark: Colour, light: Colour) -> RGB:
    """Map 0..255 to the colours between `dark` and `light`."""
    low, high = np.array(dark, np.int32), np.array(light, np.int32)
    table = (low + (high - low) * np.arange(256, dtype=np.int32)[:, None] // 255).astype(np.uint8)
    return table[grey]


def asphalt(seed: int, height: int, width: int) -> RGB:
    """Dark road surface: fine grain with worn patches."""
    return tint(clouds(seed, height, width, (2, 7, 4, 1)), (52, 52, 56), (112, 110, 108))


def grass(seed: int, height: int, width: int) -> RGB:
    """A mown verge."""
    return tint(clouds(seed, height, width, (3, 5, 2)), (44, 66, 26), (116, 132, 66))


def foliage(seed: int, height: int, width: int) -> RGB:
    """Leaves in sun and shade."""
    return tint(clouds(seed, height, width, (4, 3, 6)), (14, 30, 12), (108, 134, 58))


def paint(seed: int, height: int, width: int, colour: Colour, depth: int = 9) -> RGB:
    """A painted surface: `colour`, slightly uneven."""
    dark = tuple(max(0, c - depth) for c in colour)
    light = tuple(min(255, c + depth) for c in colour)
    return tint(
        clouds(seed, height, width, (5, 3, 1)), (dark[0], dark[1], dark[2]), (light[0], light[1], light[2])
    )


def wood(
    seed: int, height: int, width: int, dark: Colour = (84, 52, 28), light: Colour = (188, 136, 84)
) -> RGB:
    """Planks with grain along the width."""
    grain = clouds(seed, height, width, (3, 1, 0, 5), stretch=5)
    plank = 180
    for number, top in enumerate(range(0, height, plank)):
        shade = noise(seed_of(seed, "plank"), 1, height // plank + 1)[0, number] % 40
        rows = grain[top : top + plank].astype(np.int16) + int(shade) - 20
        grain[top : top + plank] = np.clip(rows, 0, 255).astype(np.uint8)
        grain[top : top + 4] //= 2
    return tint(grain, dark, light)


def brick(seed: int, height: int, width: int, tall: int = 44, wide: int = 132) -> RGB:
    """A brick wall in running bond with mortar joints."""
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    course = rows // tall
    shifted = columns + (course % 2) * (wide // 2)
    shades = noise(seed_of(seed, "bricks"), height // tall + 1, width // wide + 3)
    shade = shades[course, shifted // wide].astype(np.int16) // 3
    grain = clouds(seed, height, width, (1, 0, 4)).astype(np.int16) // 2
    wall = tint(np.clip(shade + grain, 0, 255).astype(np.uint8), (74, 34, 26), (206, 128, 98))
    joint = (rows % tall < 6) | (shifted % wide < 6)
    mortar = tint(clouds(seed + 1, height, width, (1, 0)), (128, 122, 114), (186, 180, 170))
    return np.where(joint[..., None], mortar, wall)


def fabric(seed: int, height: int, width: int, dark: Colour, light: Colour) -> RGB:
    """Woven cloth with soft folds."""
    folds = clouds(seed, height, width, (8, 1)) // 2 + 64
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    weave = (((rows // 3 + columns // 3) % 2) * 24).astype(np.int16)
    return tint(np.clip(folds.astype(np.int16) + weave - 12, 0, 255).astype(np.uint8), dark, light)
