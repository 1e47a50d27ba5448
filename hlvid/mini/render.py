"""Frames of a planned video, one after the other.

for frame, sightings in frames(video_plan):
    frame.digest(), sightings        # the same on every machine
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from hlvid.mini.canvas import Planes
from hlvid.mini.plan import VideoPlan
from hlvid.mini.road import Road
from hlvid.mini.room import Room
from hlvid.mini.stage import Sighting

HEIGHT, WIDTH = 2160, 3840


class Scene(Protocol):
    """What can paint any frame of a video."""

    def paint(self, frame: Planes, index: int) -> list[Sighting]:
        """Paint frame `index`; returns where the asked texts are."""


def scene_of(plan: VideoPlan) -> Scene:
    """The scene for the video's category."""
    return Road(plan) if plan.clip.category == "av" else Room(plan)


def frames(plan: VideoPlan, indices: Iterable[int] | None = None) -> Iterator[tuple[Planes, list[Sighting]]]:
    """Each frame (all, or those of `indices`) with its sightings. The frame is valid until the next one."""
    scene, frame = scene_of(plan), Planes.blank(HEIGHT, WIDTH)
    for index in range(plan.frames) if indices is None else indices:
        yield frame, scene.paint(frame, index)
