"""Which parts of a view are worth reading: gazed at this scale, like lettering, and not read before.

Text detectors cost by the pixel and recognisers by the false alarm, so a sparse gaze should cost little: only
rectangles around gazed patches are read, grain and foliage are passed over, and a static scene is read once.
"""

import cv2
import numpy as np
import numpy.typing as npt

from autogaze.gaze import PATCH_SIZE
from hlvid.video.picture import Picture

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""left, top, right, bottom; right and bottom are exclusive."""

UNCHANGED = 4.0
"""Mean absolute difference (of 255) up to which a patch counts as read before; coding noise stays near 1."""

TWO_TONES = 0.8
"""Share of a patch's variance that lies between its dark and its light pixels, from which on it may be
lettering.

Ink on a ground has two tones. Measured on HLVid-Mini: 0.86 to 0.98 for nine text patches in ten, 0.6 to
0.84 for most of grass, foliage, brick, wood and cloth (0.64 is a Gaussian, 0.75 a uniform distribution).
"""

CONTRAST = 24
"""Difference between a patch's darkest and lightest pixel (of 255) below which nothing can be read."""

FULL_ENOUGH = 0.75
"""A rectangle filled less than this is worth cutting in two, if that saves a tenth of its area."""

OVERLAP = 2
"""Patches (32 px) by which the halves overlap, so that a word on the cut is whole in one of them."""


class ReadMemory:
    """The newest reading of every patch of a video's picture."""

    def __init__(self, height: int, width: int) -> None:
        self.rows, self.cols = -(-height // PATCH_SIZE), -(-width // PATCH_SIZE)
        self.pixels: Picture = np.zeros((height, width, 3), np.uint8)
        self.known: Mask = np.zeros((self.rows, self.cols), np.bool_)

    def fresh(self, picture: Picture, seen: Mask) -> Mask:
        """Patches of `seen` to read: those not read before or changed since, with their neighbours in `seen`.

        picture: uint8 (H, W, 3). seen: bool (rows, cols). Returns bool (rows, cols).
        """
        changed = seen & (~self.known | (patch_difference(picture, self.pixels) > UNCHANGED))
        # Strokes that changed at a word's end need the rest of the word.
        reach: Picture = cv2.dilate(changed.astype(np.uint8), np.ones((3, 5), np.uint8))
        return seen & (reach > 0)

    def remember(self, picture: Picture, read: Mask) -> None:
        """Note that the patches `read` (bool (rows, cols)) have been read as they are in `picture`."""
        pixels = read.repeat(PATCH_SIZE, 0).repeat(PATCH_SIZE, 1)[: picture.shape[0], : picture.shape[1]]
        np.copyto(self.pixels, picture, where=pixels[..., None])
        self.known |= read


def lettering(picture: Picture, seen: Mask) -> Mask:
    """The patches of `seen` that have two tones, two or more in a row, and those next to them: words end there.

    picture: uint8 (H, W, 3), sides multiples of 16. seen: bool (H / 16, W / 16). Returns bool like `seen`.
    """
    rows, cols = seen.shape
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).reshape(rows, PATCH_SIZE, cols, PATCH_SIZE)
    row, col = seen.nonzero()
    tones = grey[row, :, col, :].reshape(len(row), PATCH_SIZE**2).astype(np.float32)
    low, high = tones.min(-1), tones.max(-1)
    light = tones > ((low + high) / 2)[:, None]
    share = light.mean(-1)
    mean = tones.mean(-1)
    mean_light = (tones * light).mean(-1) / np.maximum(share, 1e-6)
    between = share * (mean_light - mean) ** 2 / np.maximum(1 - share, 1e-6)
    core = np.zeros(seen.shape, np.uint8)
    core[row, col] = (between >= TWO_TONES * tones.var(-1)) & (high - low >= CONTRAST)
    pairs = cv2.morphologyEx(core, cv2.MORPH_OPEN, np.ones((1, 2), np.uint8))
    near: Picture = cv2.dilate(pairs, np.ones((3, 3), np.uint8))
    return seen & (near > 0)


def patch_difference(one: Picture, other: Picture) -> npt.NDArray[np.float32]:
    """Float (rows, cols): the mean absolute difference in each 16 px patch; the last ones may be smaller."""
    difference = cv2.absdiff(one, other).mean(-1, dtype=np.float32)
    rows, cols = (-(-side // PATCH_SIZE) for side in difference.shape)
    below, right = rows * PATCH_SIZE - difference.shape[0], cols * PATCH_SIZE - difference.shape[1]
    whole = cv2.copyMakeBorder(difference, 0, below, 0, right, cv2.BORDER_REPLICATE)
    means: npt.NDArray[np.float32] = cv2.resize(whole, (cols, rows), interpolation=cv2.INTER_AREA)
    return means


def patch_boxes(mask: Mask) -> list[Box]:
    """Rectangles that cover the connected groups of `mask` (bool (rows, cols)), in patches.

    Gaps of one patch in a row are bridged. A group of fewer than three patches, or one patch wide, is left
    out: it has no room for a word.
    """
    bridged = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bridged, connectivity=8)
    boxes: list[Box] = []
    for label in range(1, count):
        left, top, width, height, size = stats[label].tolist()
        group = labels[top : top + height, left : left + width] == label
        if width >= 2 and size >= 3:
            boxes += [(left + x, top + y, left + r, top + b) for x, y, r, b in _cover(group)]
    return boxes


def _cover(group: Mask) -> list[Box]:
    """Rectangles that together cover `group`; a sparse one is cut where that saves most."""
    box = _tight(group, (0, 0, group.shape[1], group.shape[0]))
    done: list[Box] = []
    waiting = [box] if box else []
    while waiting:
        box = waiting.pop()
        halves = _halves(group, box)
        if halves:
            waiting += halves
        else:
            done.append(box)
    return done


def _halves(group: Mask, box: Box) -> list[Box] | None:
    """The best two overlapping parts of a sparse rectangle, or None where cutting does not pay."""
    left, top, right, bottom = box
    if group[top:bottom, left:right].mean() >= FULL_ENOUGH:
        return None
    best, saved = None, 0.1 * _area(box)
    for axis, low, high in ((0, left, right), (1, top, bottom)):
        for cut in range(low + 2 * OVERLAP, high - 2 * OVERLAP + 1, 2):
            one = (left, top, cut, bottom) if axis == 0 else (left, top, right, cut)
            back = cut - OVERLAP
            other = (back, top, right, bottom) if axis == 0 else (left, back, right, bottom)
            parts = [part for part in (_tight(group, one), _tight(group, other)) if part]
            gain = _area(box) - sum(_area(part) for part in parts)
            if gain > saved:
                best, saved = parts, gain
    return best


def _tight(group: Mask, box: Box) -> Box | None:
    """The smallest rectangle inside `box` that holds its part of `group`."""
    left, top, right, bottom = box
    part = group[top:bottom, left:right]
    rows, cols = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    if not len(rows):
        return None
    return left + int(cols[0]), top + int(rows[0]), left + int(cols[-1]) + 1, top + int(rows[-1]) + 1


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
