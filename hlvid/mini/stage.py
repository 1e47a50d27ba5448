"""From a list of sprites to a frame, with an account of how much of each text can be seen.

stage = Stage(frame)
stage.put(sign, x=800, y=300, label="17", box=(20, 12, 300, 60))
stage.put(truck, x=600, y=200)
stage.sightings()      # [Sighting("17", box=(820, 312, 1100, 360), visible=0.4)]
"""

from dataclasses import dataclass, field

import numpy as np

from hlvid.mini.canvas import Planes, Sprite

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Sighting:
    """Where the text of a question is in one frame.

    box: x0, y0, x1, y1 in px of the 4K frame, clipped to it; x1, y1 exclusive. visible: the share of the
    whole text's box, in [0, 1], that lies inside the frame with nothing in front of it. cap: cap height in px.
    """

    question_id: str
    box: Box
    visible: float
    cap: int


@dataclass(frozen=True)
class _Placed:
    sprite: Sprite
    x: int
    y: int
    label: str | None
    box: Box
    cap: int


@dataclass
class Stage:
    """Paints sprites back to front onto one frame and remembers them."""

    frame: Planes
    _placed: list[_Placed] = field(default_factory=list)

    def put(
        self,
        sprite: Sprite,
        x: int,
        y: int,
        label: str | None = None,
        box: Box = (0, 0, 0, 0),
        cap: int = 0,
    ) -> None:
        """Paint `sprite` at even (x, y); `label` is the question whose text is in `box` of the sprite."""
        self.frame.paste(sprite, x, y)
        self._placed.append(_Placed(sprite, x, y, label, box, cap))

    def sightings(self) -> list[Sighting]:
        """All labelled texts with a visible part, in the order in which they were put."""
        found = (self._sight(order) for order, placed in enumerate(self._placed) if placed.label is not None)
        return [sighting for sighting in found if sighting is not None]

    def _sight(self, order: int) -> Sighting | None:
        placed = self._placed[order]
        assert placed.label is not None
        x0, y0, x1, y1 = (
            placed.box[0] + placed.x,
            placed.box[1] + placed.y,
            placed.box[2] + placed.x,
            placed.box[3] + placed.y,
        )
        height, width = self.frame.y.shape
        left, top, right, bottom = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
        if left >= right or top >= bottom:
            return None
        hidden = np.zeros((bottom - top, right - left), np.bool_)
        for front in self._placed[order + 1 :]:
            hidden |= front.sprite.covers((left - front.x, top - front.y, right - front.x, bottom - front.y))
        free = int(hidden.size - np.count_nonzero(hidden))
        if free == 0:
            return None
        visible = round(free / ((x1 - x0) * (y1 - y0)), 4)
        return Sighting(placed.label, (left, top, right, bottom), visible, placed.cap)
