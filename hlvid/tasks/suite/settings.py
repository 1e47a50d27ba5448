"""What a user may switch for the suite's tasks, all by environment variables that the record of a run keeps.

Example::

    HLVID_PARSER=lmms_eval HLVID_PROMPT=lmms_eval lmms_eval --tasks hlvid_mvbench --model …

lmms-eval hands no arguments to tasks, and a variant of every task would double their list. The variables'
values go into `hlvid_task.json`, from there into `record.json`, and into the name of the prepared folder,
which stands as `dataset_path` in lmms-eval's own results file.

- `HLVID_PARSER`: who reads letters and computes the score: `hlvid` or `lmms_eval`. Does not change what a
  model is asked, so journalled answers are scored anew without asking again.
- `HLVID_PROMPT`: whose wording: `hlvid` or `lmms_eval`.
- `HLVID_SUBTITLE_FRAMES`: at how many evenly spaced frames subtitles are read; lmms-eval's default is 32.
"""

import os
from dataclasses import asdict, dataclass
from typing import Any

from hlvid.errors import RunError

WHOSE = ("hlvid", "lmms_eval")
SUBTITLE_FRAMES = 32


@dataclass(frozen=True)
class Settings:
    """`subtitle_frames` is None for all subtitles of a video."""

    parser: str = "hlvid"
    prompt: str = "hlvid"
    subtitle_frames: int | None = SUBTITLE_FRAMES

    def variant(self) -> str:
        """What the prepared folder's name carries: "" for ours, else "-lmms_eval_parser" and the like."""
        theirs = [name for name in ("parser", "prompt") if getattr(self, name) != "hlvid"]
        return "".join(f"-lmms_eval_{name}" for name in theirs)

    def as_json(self) -> dict[str, Any]:
        """For the record of a run."""
        return asdict(self)


def settings() -> Settings:
    """The environment's settings.

    Raises:
        RunError: a value that is none of the allowed ones.
    """
    return Settings(
        parser=_one_of("HLVID_PARSER", WHOSE),
        prompt=_one_of("HLVID_PROMPT", WHOSE),
        subtitle_frames=_frames(os.environ.get("HLVID_SUBTITLE_FRAMES") or str(SUBTITLE_FRAMES)),
    )


def _one_of(name: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(name) or allowed[0]
    if value not in allowed:
        raise RunError(f"{name} is {value!r}; allowed: {', '.join(allowed)}")
    return value


def _frames(value: str) -> int | None:
    if value == "all":
        return None
    if not value.isdecimal() or int(value) < 1:
        raise RunError(f"HLVID_SUBTITLE_FRAMES is {value!r}; allowed: a number from 1, or all")
    return int(value)
