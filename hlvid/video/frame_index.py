"""What is known of one video stream of a file: its frames in presentation order, their times, what is broken."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hlvid.video.gaps import step_of
from hlvid.video.packets import Ints, PacketTable
from hlvid.video.picture import Shape


@dataclass(frozen=True)
class FrameIndex:
    """What is known of one video stream of a file. `packets` is None if its frames were counted by decoding.

    stream: its number in the file. shape: stored size of the first frame, and how it is shown. rate: frames per
    second as declared, 0 if not. pts: (count,) ascending time stamps, in units of `time_base` seconds;
    last_duration: of the last frame, 0 if unknown. trimmed: an edit list hides frames. stated: seconds that the
    file gives the picture, counted from time stamp 0; 0 if it does not say. threads: 1 where the file is
    damaged, so that every decode conceals alike. sizes: (first frame, height, width) where the picture's size
    changes. damage, remarks: what is broken, and what is merely odd, in words.
    """

    stream: int
    codec: str
    pix_fmt: str
    shape: Shape
    rate: float
    time_base: Fraction
    pts: Ints
    last_duration: int
    packets: PacketTable | None
    trimmed: bool = False
    stated: float = 0.0
    threads: int | None = None
    sizes: tuple[tuple[int, int, int], ...] = ()
    damage: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many frames the file gives."""
        return len(self.pts)

    @property
    def notes(self) -> tuple[str, ...]:
        """Damage and remarks."""
        return *self.damage, *self.remarks

    @cached_property
    def seconds(self) -> npt.NDArray[np.float64]:
        """(count,) when each frame is shown, in seconds after the first one."""
        seconds: npt.NDArray[np.float64] = (self.pts - self.pts[0]) * float(self.time_base)
        return seconds

    @property
    def fps(self) -> float:
        """Frames per second: the declared (exact) rate where the time stamps bear it out, else their average."""
        if self.count < 2 or self.pts[-1] <= self.pts[0]:
            return self.rate
        step, regular = step_of(self.pts)
        of_steps = 1 / (step * float(self.time_base)) if step else 0.0
        measured = of_steps if self.trimmed and regular else (self.count - 1) / float(self.seconds[-1])
        return self.rate if abs(self.rate - measured) < 0.01 * measured else measured

    @property
    def duration(self) -> float:
        """Seconds for which pictures are shown; behind an edit list's cut only the frames that it leaves count."""
        tick = float(self.time_base)
        step, regular = step_of(self.pts)
        if self.trimmed and regular:
            return self.count * step * tick
        last = self.last_duration * tick or step * tick or (1 / self.rate if self.rate else 0.0)
        return float(self.seconds[-1]) + last
