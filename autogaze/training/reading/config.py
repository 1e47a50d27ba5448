"""What a run that teaches reading is: one YAML file, as of AutoGaze's stages.

>>> from autogaze.training.config import read
>>> config = read(ReadingConfig, "reading-gpu", out="runs/reading")
>>> config.lesson(0.9).tiles
8
"""

from typing import Literal

from pydantic import Field

from autogaze.training.config import RunConfig, Strict


class Lesson(Strict):
    """A part of the run. until: share of the run at which it ends. tiles, lines: of a strip. answers: whether
    questions are asked about strips, or characters are named alone. words: questions asked about characters that the
    language model is told."""

    until: float = Field(gt=0, le=1)
    tiles: int = Field(1, gt=0)
    lines: int = Field(3, gt=0)
    answers: bool = False
    words: int = Field(0, ge=0)


class ReadingConfig(RunConfig):
    """stage: "reading". shape: of `nvila.presets`. batch: tiles a step.

    lessons: one after the other. seconds: the run ends after so long, if not after `steps`, and the rate has fallen by
    then; such a run is not the same twice. patches: seen of each tile. grounds, questions: drawn beforehand.
    hold: share of the run before the rate falls. held_out: strips a look is taken at.
    """

    stage: Literal["reading"]
    shape: str = "mini"
    lessons: tuple[Lesson, ...]
    seconds: float | None = Field(None, gt=0)
    patches: int = Field(64, gt=0)
    grounds: int = Field(256, gt=0)
    questions: int = Field(30_000, gt=0)
    hold: float = Field(0.6, ge=0, le=1)
    held_out: int = Field(256, gt=1)

    apart = RunConfig.apart | {"held_out"}

    def lesson(self, share: float) -> Lesson:
        """The one that `share` of the run falls in."""
        return next((one for one in self.lessons if share < one.until), self.lessons[-1])
