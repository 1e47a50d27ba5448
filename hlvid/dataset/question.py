"""`Question`: the type that every later step of an evaluation starts from.

>>> one = Question(id="0", video="clip_av_video_3_000.mp4", source="av_video_3", category="av",
...                stem="What does the sign say?", options={"A": "DL3", "B": "DL5"}, answer="B",
...                text="What does the sign say?\\n A. DL3\\n B. DL5\\n Please answer directly …")
>>> one.prompt() == one.text         # the benchmark's own text, character by character
True
>>> one.normalised().prompt()
'Question: What does the sign say?\\nA. DL3\\nB. DL5\\nPlease answer directly with the letter of the correct answer.'
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

INSTRUCTION = "Please answer directly with the letter of the correct answer."

_CLIP = re.compile(r"clip_(?P<source>[a-z]+_video_.+)_\d+")


@dataclass(frozen=True)
class Question:
    """One multiple-choice question about one video.

    `text` is what a model is asked: the benchmark's own words with their own white space; empty only for a
    question that was never one text. `stem` and `options` are the same words taken apart, for parsing answers
    and for people; their white space is normalised.
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
    text: str = ""

    def prompt(self) -> str:
        """What a model is asked: `text` as it is; the normalised wording where there is none."""
        return self.text or self.normalised().text

    def normalised(self, context: str = "") -> "Question":
        """The same question in one wording for all benchmarks; `context` (subtitles) goes in front of it."""
        options = [f"{letter}. {text}" for letter, text in self.options.items()]
        return replace(self, text=context + "\n".join([f"Question: {self.stem}", *options, INSTRUCTION]))


def source_of(video: str) -> str:
    """The recording a clip comes from: "clip_av_video_3_000.mp4" -> "av_video_3"; other names: their stem."""
    stem = Path(video).stem
    match = _CLIP.fullmatch(stem)
    return match["source"] if match else stem
