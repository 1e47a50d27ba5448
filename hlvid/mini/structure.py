"""The presets: which clips there are, of which recordings, how long, with how many questions.

`full` repeats the real HLVid's structure clip by clip: 77 videos of 30 recordings with 268 questions, one
recording holding 59 of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

# recording -> questions of each of its clips (clip number: questions), as published with HLVid's questions
REAL_STRUCTURE: dict[str, dict[int, int]] = {
    "av_video_3": {0: 5, 1: 3},
    "household_video_0": {0: 4, 1: 8},
    "household_video_14": {0: 30, 1: 13, 2: 14, 3: 2},
    "av_video_0": {0: 5, 1: 3, 2: 1, 3: 2},
    "av_video_5": {0: 1, 1: 2, 2: 5, 3: 1},
    "av_video_25": {0: 6, 1: 2},
    "av_video_23": {0: 1, 1: 4, 2: 1},
    "household_video_16": {0: 1, 1: 3},
    "household_video_17": {0: 12, 1: 2},
    "av_video_10": {0: 3, 1: 2},
    "av_video_1": {1: 1, 0: 1},
    "av_video_6": {0: 3, 1: 2},
    "av_video_16": {0: 6, 1: 6, 2: 3},
    "household_video_19": {0: 4, 1: 3, 3: 4, 4: 3, 2: 2, 5: 3, 6: 3},
    "av_video_19": {0: 2, 1: 2},
    "av_video_2": {0: 5, 1: 2, 2: 5},
    "household_video_11": {0: 2, 2: 1},
    "av_video_8": {0: 1, 1: 1},
    "av_video_14": {0: 2, 1: 1},
    "av_video_24": {0: 2, 1: 2, 2: 3, 4: 2, 5: 2, 6: 1},
    "household_video_4": {0: 4},
    "av_video_12": {0: 1, 1: 3},
    "household_video_9": {0: 4},
    "av_video_9": {0: 2, 1: 4, 2: 3},
    "av_video_21": {1: 2, 0: 1},
    "av_video_4": {0: 2},
    "av_video_7": {0: 2, 1: 2},
    "av_video_13": {0: 3, 1: 2, 2: 7, 3: 5, 4: 2},
    "av_video_20": {0: 2},
    "av_video_11": {0: 1},
}


@dataclass(frozen=True)
class Clip:
    """One video file of the benchmark."""

    recording: str  # e.g. "av_video_3"
    number: int
    questions: int
    seconds: float

    @property
    def name(self) -> str:
        """e.g. "clip_av_video_3_000.mp4"."""
        return f"clip_{self.recording}_{self.number:03d}.mp4"

    @property
    def category(self) -> str:
        """ "av" or "household"."""
        return self.recording.split("_", 1)[0]


@dataclass(frozen=True)
class Preset:
    """A size of HLVid-Mini."""

    clips: tuple[Clip, ...]
    fps: int


def _real_clips() -> Iterator[Clip]:
    """Clips of the real benchmark: a recording is cut into pieces of 5 minutes, the last one shorter."""
    for index, (recording, clips) in enumerate(REAL_STRUCTURE.items()):
        for number, questions in clips.items():
            last = number == max(clips)
            yield Clip(recording, number, questions, 120.0 + 6 * index if last else 300.0)


# One clip a recording: recordings are what is resampled, and of six under four recordings a paired test could
# never have found a difference (its p-value cannot fall below 2 ** (1 - recordings)).
CATEGORIES = ("av", "household")
_DEFAULT = tuple(f"{category}_video_{number}" for category in CATEGORIES for number in range(4))

PRESETS = {
    "tiny": Preset((Clip("av_video_0", 0, 4, 2.4), Clip("household_video_0", 0, 4, 2.4)), fps=10),
    "default": Preset(
        tuple(Clip(recording, 0, 6, 15.0) for recording in _DEFAULT),
        fps=12,
    ),
    # For choosing between gazes: more questions and recordings than a demo needs, in clips short enough to make.
    "study": Preset(
        tuple(
            Clip(f"{category}_video_{number}", 0, 8, 10.0) for number in range(12) for category in CATEGORIES
        ),
        fps=12,
    ),
    # For counting frames: a sixth of the texts are there for a second or little more of a minute.
    "long": Preset(
        tuple(
            Clip(f"{category}_video_{number}", 0, 8, 60.0) for number in range(6) for category in CATEGORIES
        ),
        fps=4,
    ),
    "full": Preset(tuple(_real_clips()), fps=12),
}
