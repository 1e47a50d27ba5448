"""What a run that teaches reading is: one YAML file, as of AutoGaze's stages.

Example::

    config = read(ReadingConfig, "letters-cpu", out="runs/letters")
"""

from typing import Literal

from pydantic import Field

from autogaze.training.config import RunConfig


class ReadingConfig(RunConfig):
    """stage: "letters", the only one there is. shape: of `nvila.presets`, one that looks on AutoGaze's grid.
    held_out: tiles a look is taken at."""

    stage: Literal["letters"]
    shape: str = "mini"
    held_out: int = Field(256, gt=0)

    apart = RunConfig.apart | {"held_out"}
