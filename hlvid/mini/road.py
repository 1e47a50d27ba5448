"""The av scene: a camera driving along a road; trees stream past, boards approach, stand and are left behind.

A question's board comes out of the distance, has (nearly) its full size during the question's window, then
slips away outwards. A truck overtakes once. `Road(plan).paint(frame, index)` is a pure function of plan and
index::

    road = Road(video_plan)
    sightings = road.paint(Planes.blank(2160, 3840), index=120)
"""

from hlvid.mini.board import POST, Piece, board, even
from hlvid.mini.canvas import Planes, Sprite
from hlvid.mini.chance import Stream, seed_of
from hlvid.mini.ground import HORIZON, SPEED, Ground
from hlvid.mini.landscape import Trees, horizon_strip, truck
from hlvid.mini.moments import eased, quiet_moment, triangle
from hlvid.mini.plan import SLOTS, Asked, VideoPlan
from hlvid.mini.stage import Sighting, Stage
from hlvid.mini.texture import paint

CENTRE = 1920
SLOT_X = tuple((450, 1420, 2420, 3390)[slot % 4] for slot in range(SLOTS))
SLOT_Y = tuple((290, 780)[slot // 4] for slot in range(SLOTS))
NEAR = 0.93  # a board's size at the beginning of its window, relative to its end
FAR = 0.2  # ... and where it comes into view
APPROACH_SECONDS, LEAVE_SECONDS = 0.8, 0.4
TRUCK_SECONDS = 2.6
SWAY_SECONDS = 30.0  # the road bends: the horizon moves to and fro


class Road:
    """One drive; clips of the same recording share the landscape but not the boards."""

    def __init__(self, plan: VideoPlan) -> None:
        self._plan = plan
        seed = seed_of(plan.seed, plan.clip.recording)
        self._strip = Sprite.from_rgb(horizon_strip(seed))
        self._ground = Ground(seed)
        self._trees = Trees(seed)
        self._truck = truck(seed)
        self._post = Sprite.from_rgb(paint(seed, 1500, 16, POST))
        stream = Stream(plan.seed, plan.name, "truck")
        self._truck_start = quiet_moment(plan, TRUCK_SECONDS, stream)
        self._boards: dict[tuple[str, int], Piece] = {}

    def paint(self, frame: Planes, index: int) -> list[Sighting]:
        """Paint frame `index` onto `frame` (2160, 3840); returns where the asked texts are."""
        t = index / self._plan.fps
        stage = Stage(frame)
        slack = self._strip.width - frame.y.shape[1]
        stage.put(self._strip, -even(slack * triangle(t / SWAY_SECONDS)), 0)
        self._ground.paint(frame, t)
        for sprite, x, y in self._trees.at(SPEED * t):
            stage.put(sprite, x, y)
        visible = [(pose, q) for q in self._plan.questions if (pose := _pose(q, t)) is not None]
        visible.sort(key=lambda item: item[0][0])
        for pose, asked in visible:
            self._put_posts(stage, asked, *pose)
        for pose, asked in visible:
            self._put_board(stage, asked, *pose)
        self._put_truck(stage, t)
        return stage.sightings()

    def _piece(self, asked: Asked, cap: int) -> Piece:
        key = (asked.id, cap)
        if key not in self._boards:
            self._boards[key] = board(asked.text, cap, asked.look, seed_of(self._plan.seed, asked.id))
        return self._boards[key]

    def _put_posts(self, stage: Stage, asked: Asked, scale: float, x: float, y: float) -> None:
        """Boards beside the road stand on posts; those over the road hang from above."""
        width = self._piece(asked, _cap(asked, scale)).sprite.width
        hangs = asked.slot % 4 in (1, 2)
        tall = max(2, min(self._post.height, even(y if hangs else HORIZON + 560 * scale - y)))
        post = self._post
        part = Sprite(post.y[:tall], post.u[: tall // 2], post.v[: tall // 2])
        for side in (-1, 1) if width > 260 else (0,):
            stage.put(part, even(x + side * width * 0.3) - 8, 0 if hangs else even(y))

    def _put_board(self, stage: Stage, asked: Asked, scale: float, x: float, y: float) -> None:
        cap = _cap(asked, scale)
        piece = self._piece(asked, cap)
        left, top = even(x - piece.sprite.width / 2), even(y - piece.sprite.height / 2)
        stage.put(piece.sprite, left, top, asked.id, piece.box, cap)

    def _put_truck(self, stage: Stage, t: float) -> None:
        share = (t - self._truck_start) / TRUCK_SECONDS
        if 0 <= share <= 1:
            x = even(-self._truck.width + (3840 + self._truck.width) * share)
            stage.put(self._truck, x, 1700 - self._truck.height)


def _cap(asked: Asked, scale: float) -> int:
    return max(1, round(asked.cap * scale))


def _pose(asked: Asked, t: float) -> tuple[float, float, float] | None:
    """(scale, centre x, centre y) of a board at second `t`, or None while it is out of sight."""
    begin, end = asked.window
    if not begin - APPROACH_SECONDS <= t <= end + LEAVE_SECONDS:
        return None
    leaving = 1.0
    if t < begin:  # constant speed: size goes with 1 / distance
        share = (begin - t) / APPROACH_SECONDS
        scale = 1 / (1 / NEAR + (1 / FAR - 1 / NEAR) * share)
    else:
        scale = NEAR + (1 - NEAR) * min(1.0, (t - begin) / (end - begin))
        leaving += 5 * eased(max(0.0, t - end) / LEAVE_SECONDS)
    dx, dy = SLOT_X[asked.slot] - CENTRE, SLOT_Y[asked.slot] - HORIZON
    return scale, CENTRE + dx * scale * leaving, HORIZON + dy * scale * leaving
