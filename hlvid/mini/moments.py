"""Time: curves that things move along, and moments at which a passer-by hides no short-lived text.

Only +, -, * and / on floats, which IEEE 754 fixes to the bit, so motion is the same on every machine::

    eased(0.5)        # 0.5, with zero speed at 0 and 1
    triangle(0.25)    # 0.5: to and fro with period 1
"""

from typing import TYPE_CHECKING

from hlvid.mini.chance import Stream

if TYPE_CHECKING:
    from hlvid.mini.plan import VideoPlan

SHORT = 3.0  # seconds; texts seen for less than this are not to be hidden by passers-by


def eased(share: float) -> float:
    """Smoothstep of `share`, which is clamped to [0, 1]."""
    s = min(max(share, 0.0), 1.0)
    return s * s * (3 - 2 * s)


def triangle(phase: float) -> float:
    """0 -> 1 -> 0 linearly over each period of 1."""
    part = phase % 1.0
    return 2 * part if part < 0.5 else 2 - 2 * part


def quiet_moment(plan: "VideoPlan", seconds: float, stream: Stream) -> float:
    """A start such that the next `seconds` overlap as little as possible with short windows; of 12 tries."""
    starts = [stream.uniform(0, max(0.1, plan.duration - seconds)) for _ in range(12)]
    windows = [q.window for q in plan.questions if q.window[1] - q.window[0] < SHORT]

    def overlap(start: float) -> float:
        return sum(max(0.0, min(end, start + seconds) - max(begin, start)) for begin, end in windows)

    return min(starts, key=overlap)
