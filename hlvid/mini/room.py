"""The household scene: a cupboard wall with eight bays, roller blinds that open and close, a slow pan.

Every question's object stands in one bay; the bay's blind is up during the question's window. A balloon
drifts past in front of everything. `Room(plan).paint(frame, index)` is a pure function of the plan and the index::

    room = Room(video_plan)
    frame = Planes.blank(2160, 3840)
    sightings = room.paint(frame, index=120)
"""

from functools import lru_cache

import numpy as np

from hlvid.mini.board import even, parcel
from hlvid.mini.canvas import Planes, Sprite
from hlvid.mini.chance import Stream, seed_of
from hlvid.mini.moments import eased, quiet_moment, triangle
from hlvid.mini.plan import SLOTS, Asked, VideoPlan
from hlvid.mini.stage import Sighting, Stage
from hlvid.mini.text import text_mask
from hlvid.mini.texture import RGB, brick, clouds, fabric, paint, wood

PAN = 240  # px that the camera sweeps to and fro
PAN_SECONDS = 24.0  # there and back
BAY_W, BAY_H = 868, 600
BAY_X = tuple(260 + 900 * (slot % 4) for slot in range(SLOTS))
BAY_Y = tuple(150 + 700 * (slot // 4) for slot in range(SLOTS))
BLIND_SECONDS = 0.4
BALLOON_SECONDS = 5.0
BLINDS = (
    ((150, 60, 40), (222, 120, 88)),
    ((60, 88, 104), (140, 172, 184)),
    ((120, 112, 92), (214, 204, 176)),
)


class Room:
    """One household recording; clips of the same recording share the room but not the objects."""

    def __init__(self, plan: VideoPlan) -> None:
        self._plan = plan
        self._size = (2160, 3840)
        seed = seed_of(plan.seed, plan.clip.recording)
        self._wall = Sprite.from_rgb(_wall(seed))
        self._blinds = [Sprite.from_rgb(_blind(seed, slot)) for slot in range(SLOTS)]
        self._pieces = {q.id: parcel(q.text, q.cap, q.look, seed_of(plan.seed, q.id)) for q in plan.questions}
        self._balloon = _balloon(seed)
        stream = Stream(plan.seed, plan.name, "balloon")
        self._balloon_start = quiet_moment(plan, BALLOON_SECONDS, stream)
        self._balloon_y = even(stream.uniform(150, 900))

    def paint(self, frame: Planes, index: int) -> list[Sighting]:
        """Paint frame `index` onto `frame` (2160, 3840); returns where the asked texts are."""
        t = index / self._plan.fps
        pan = even(PAN * triangle(t / PAN_SECONDS))
        stage = Stage(frame)
        stage.put(self._wall, -pan, 0)
        for slot in range(SLOTS):
            current = _current(self._plan.questions, slot, t)
            if current is not None:
                self._put_object(stage, current, pan)
            self._put_blind(stage, slot, 1.0 if current is None else _closed(current, t), pan)
        self._put_balloon(stage, t)
        return stage.sightings()

    def _put_object(self, stage: Stage, asked: Asked, pan: int) -> None:
        piece = self._pieces[asked.id]
        x = BAY_X[asked.slot] - pan + even((BAY_W - piece.sprite.width) / 2)
        y = BAY_Y[asked.slot] + BAY_H - piece.sprite.height
        stage.put(piece.sprite, x, y, asked.id, piece.box, asked.cap)

    def _put_blind(self, stage: Stage, slot: int, closed: float, pan: int) -> None:
        blind = self._blinds[slot]
        shown = max(40, even(BAY_H * closed))
        part = Sprite(blind.y[-shown:], blind.u[-shown // 2 :], blind.v[-shown // 2 :])
        stage.put(part, BAY_X[slot] - pan, BAY_Y[slot])

    def _put_balloon(self, stage: Stage, t: float) -> None:
        share = (t - self._balloon_start) / BALLOON_SECONDS
        if 0 <= share <= 1:
            width = self._balloon.width
            x = even(-width + (self._size[1] + width) * share)
            stage.put(self._balloon, x, self._balloon_y + even(60 * triangle(3 * share)))


def _current(questions: tuple[Asked, ...], slot: int, t: float) -> Asked | None:
    """Whose object stands in `slot` at second `t`."""
    here = (q for q in questions if q.slot == slot and q.segment[0] <= t < q.segment[1])
    return next(here, None)


def _closed(asked: Asked, t: float) -> float:
    """How far the blind is down: 0 in the window, 1 from BLIND_SECONDS before and after it."""
    begin, end = asked.window
    return eased(max(begin - t, t - end, 0.0) / BLIND_SECONDS)


@lru_cache(maxsize=1)
def _wall(seed: int) -> RGB:
    """The whole room, (2160, 3840 + PAN, 3): bricks, cupboard with bays, wooden floor, some clutter."""
    width = 3840 + PAN
    room = brick(seed, 2160, width)
    room[1640:] = wood(seed + 1, 520, width)
    room[1600:1640] = paint(seed + 2, 40, width, (228, 222, 210))
    room[100:1500, 220 : width - 200 + 16] = wood(seed + 3, 1400, width - 404, (70, 44, 26), (146, 102, 62))
    for slot in range(SLOTS):
        x, y = BAY_X[slot], BAY_Y[slot]
        room[y : y + BAY_H, x : x + BAY_W] = wood(
            seed + 4 + slot, BAY_H, BAY_W, (112, 84, 56), (206, 172, 128)
        )
        room[y : y + 60, x : x + BAY_W] //= 2  # the shadow under the upper board
        _books(room, x, y + BAY_H, seed_of(seed, "books", slot))
    _rug(room, seed)
    return room


def _books(room: RGB, x: int, floor: int, seed: int) -> None:
    """A few books at the right end of a bay, with titles that nobody asks about."""
    stream = Stream(seed, "books")
    right = x + BAY_W - 8
    for _ in range(2 + stream.below(3)):
        width, height = 26 + 2 * stream.below(14), 240 + 2 * stream.below(130)
        colour = (50 + stream.below(150), 50 + stream.below(110), 50 + stream.below(120))
        spine = paint(stream.bits(), height, width, colour, 20)
        title = np.rot90(text_mask("".join(stream.choice("AEILMNORSTW") for _ in range(8)), width // 2 - 4))
        area = spine[30 : 30 + title.shape[0], 4 : 4 + title.shape[1]]
        area[title[: area.shape[0], : area.shape[1]] > 110] = (226, 214, 180)
        room[floor - height : floor, right - width : right] = spine
        right -= width + 2


def _rug(room: RGB, seed: int) -> None:
    rug = fabric(seed + 31, 260, 2200, (92, 30, 40), (200, 120, 96))
    rug[20:36] = rug[-36:-20] = (220, 200, 160)
    room[1790:2050, 900:3100] = rug


def _blind(seed: int, slot: int) -> RGB:
    """A roller blind: slats or cloth with a bar at its lower end."""
    dark, light = BLINDS[(seed + slot) % len(BLINDS)]
    cloth = fabric(seed_of(seed, "blind", slot), BAY_H, BAY_W, dark, light)
    for row in range(0, BAY_H, 40):
        cloth[row : row + 4] = cloth[row : row + 4] // 4 * 3
    cloth[-20:] = wood(seed + slot, 20, BAY_W)
    return cloth


def _balloon(seed: int) -> Sprite:
    """A balloon with a shaded side, 300 x 380."""
    height, width = 380, 300
    rows, columns = np.arange(height)[:, None] * 2 - height, np.arange(width)[None, :] * 2 - width
    inside = (
        rows * rows * 10000 // (height * height) + columns * columns * 10000 // (width * width)
    ) <= 10000
    shade = np.clip(255 - (rows + height) * 70 // height - (columns + width) * 60 // width, 90, 255)
    skin = paint(seed + 77, height, width, (226, 70, 96)).astype(np.int32)
    grain = clouds(seed + 78, height, width, (5, 3))[..., None].astype(np.int32) // 16
    rgb = np.clip(skin * shade[..., None] // 255 + grain, 0, 255).astype(np.uint8)
    return Sprite.from_rgb(rgb, np.asarray(inside))
