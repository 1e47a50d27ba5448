"""What a run that teaches reading is: one YAML file, as of AutoGaze's stages.

>>> from autogaze.training.config import read
>>> config = read(ReadingConfig, "reading-language", out="runs/language")
>>> config.part, config.language.lesson(0.9).lines
('language', 4)
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from autogaze.training.config import RunConfig, Strict


class Characters(Strict):
    """The encoder names characters. squares: pictures drawn beforehand, 250 kB each, 600 kB of whole frames.
    gazed: fewest and most patches of 16 px of each."""

    squares: int = Field(gt=0)
    gazed: tuple[PositiveInt, PositiveInt] = (16, 16)


class Lesson(Strict):
    """A part of the run. until: share of the run at which it ends. echoes: share of steps in which lines are spelled
    again, not asked about. lines: of a picture; frames: in which they are seen again. hard: share of lines that stand
    as on pictures: wide or narrow, cut by tiles, with patches of nothing. noise: share of characters told wrongly or
    not at all. blur: noise on what is told, in sizes of an embedding. gap: most positions left free before a token."""

    until: float = Field(gt=0, le=1)
    echoes: float = Field(0.0, ge=0, le=1)
    lines: int = Field(3, gt=0)
    frames: int = Field(1, gt=0)
    hard: float = Field(0.0, ge=0, le=1)
    noise: float = Field(0.0, ge=0, le=1)
    blur: float = Field(0.0, ge=0)
    gap: float = Field(60, ge=0)


class Language(Strict):
    """The language model learns on characters that it is told, in lessons one after the other."""

    lessons: tuple[Lesson, ...] = Field(min_length=1)

    def lesson(self, share: float) -> Lesson:
        """The one that `share` of the run falls in."""
        return next((one for one in self.lessons if share < one.until), self.lessons[-1])


class Answers(Strict):
    """Projector and language model learn on features of pictures, drawn beforehand and seen `looks` times.

    seen: pictures of a row at most. questions, echoes: texts of a row. alone: share of the run in which the projector
    learns by itself to say what characters are told as; naming: weight of that in the rest of it. told: share of rows
    whose characters are told even then, as in the run before.
    blank: for how many patches without a character a row's stand, as often for a few as for many; often: for how many
    the others stand at most. kept: shares of patches without a character, beside those next to one, between which a row
    keeps some. all: share of batches that keep them all. gap: most positions left free before a token."""

    pictures: int = Field(gt=0)
    looks: int = Field(2, gt=0)
    seen: int = Field(2, gt=0)
    questions: int = Field(3, ge=0)
    echoes: int = Field(2, ge=0)
    alone: float = Field(0.1, ge=0, le=1)
    naming: float = Field(1.0, ge=0)
    told: float = Field(0.5, ge=0, le=1)
    kept: tuple[float, float] = (0.02, 0.15)
    all: float = Field(0.06, ge=0, le=1)
    blank: tuple[float, float] = (200, 15_000)
    often: float = Field(8, ge=1)
    gap: float = Field(900, ge=0)


class ReadingConfig(RunConfig):
    """stage: "reading". shape: of `nvila.presets`. One of characters, language and answers: what is taught.

    init: finished runs whose weights it begins with. held_out: pictures or rows that are validated on. processes: that
    draw pictures.
    """

    stage: Literal["reading"]
    shape: str = "mini"
    init: tuple[Path, ...] = ()
    characters: Characters | None = None
    language: Language | None = None
    answers: Answers | None = None
    held_out: int = Field(256, gt=1)
    processes: int = Field(2, gt=0)

    apart = RunConfig.apart | {"held_out", "processes"}

    @property
    def part(self) -> str:
        """Which of the three."""
        return next(name for name in PARTS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        given = [name for name in PARTS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of {', '.join(PARTS)}, found {' and '.join(given) or 'none'}")
        return self


PARTS = ("characters", "language", "answers")
