"""Frames of a planned video, one after the other.

for frame, sightings in frames(video_plan):
    frame.digest(), sightings        # the same on every machine
"""

from collections.abc import Iterable, Iterator

from hlvid.mini.canvas import Planes
from hlvid.mini.plan import VideoPlan
from hlvid.mini.road import Road
from hlvid.mini.room import Room
from hlvid.mini.stage import Sighting

HEIGHT, WIDTH = 2160, 3840


def frames(plan: VideoPlan, indices: Iterable[int] | None = None) -> Iterator[tuple[Planes, list[Sighting]]]:
    """Each frame (all, or those of `indices`) with its sightings. The frame is valid until the next one."""
    scene: Road | Room = Road(plan) if plan.clip.category == "av" else Room(plan)
    frame = Planes.blank(HEIGHT, WIDTH)
    for index in range(plan.frames) if indices is None else indices:
        yield frame, scene.paint(frame, index)
