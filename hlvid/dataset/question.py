"""`Question`: the type that every later step of an evaluation starts from.

Example::

    Question(id="0", video="clip_av_video_3_000.mp4", source="av_video_3", category="av",
             stem="What does the sign say?", options={"A": "DL3", "B": "DL5"}, answer="B").prompt()
    # "Question: What does the sign say?\\nA. DL3\\nB. DL5\\nPlease answer directly with the letter of …"
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

INSTRUCTION = "Please answer directly with the letter of the correct answer."

_CLIP = re.compile(r"clip_(?P<source>[a-z]+_video_.+)_\d+")


@dataclass(frozen=True)
class Question:
    """One multiple-choice question about one video.

    `source` is the recording that the clip was cut from: questions of one source are not independent.
    `answer` is a letter of `options`, or None where the answers are kept secret. `video_path` is where the
    video is expected; whether it is there is for `hlvid verify` to say.
    """

    id: str
    video: str
    source: str
    category: str
    stem: str
    options: Mapping[str, str] = field(hash=False)
    answer: str | None
    tier: str | None = None
    video_path: Path | None = None

    def prompt(self) -> str:
        """The published NVILA-HD-Video wording without its `<video>` tag."""
        options = [f"{letter}. {text}" for letter, text in self.options.items()]
        return "\n".join([f"Question: {self.stem}", *options, INSTRUCTION])


def source_of(video: str) -> str:
    """The recording a clip comes from: "clip_av_video_3_000.mp4" -> "av_video_3"; other names: their stem."""
    stem = Path(video).stem
    match = _CLIP.fullmatch(stem)
    return match["source"] if match else stem
