"""What to time, checked before anything is decoded or built, and the row that a timing becomes.

>>> Request.read({"kind": "vit", "video": Path("clip.mp4"), "cells": "1x224,30x448", "ratios": "0.1"}).cells
((1, 224), (30, 448))
>>> Request.read({"kind": "vit", "video": Path("clip.mp4"), "dtype": "int4"})
Traceback (most recent call last):
hlvid.errors.RunError: latency: dtype is 'int4'; allowed: 'float32', 'bfloat16' or 'float16'
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass as checked

from autogaze.nvila.presets import SHAPES
from evaluators.core.arguments import STRICT, check_selector, one_of, read
from evaluators.core.device import check_device
from evaluators.profiling.latency.schema import Kind, Row, hardware
from evaluators.profiling.latency.timing import Timing

COLUMNS = ((1, 224), (3, 224), (10, 224), (30, 224), (30, 448), (30, 896), (30, 1792), (30, 3584))
"""Frames a second and px, the columns of Figure 8."""
STAGES = ((64, 896), (128, 1792))
"""Frames and px of a whole answer."""
LOSS = 0.7
FPS = (1, 3, 10, 30)
PAPER = {
    224: (0.205, 0.181, 0.132, 0.069),
    448: (0.164, 0.133, 0.096, 0.058),
    896: (0.100, 0.075, 0.061, 0.040),
    1792: (0.042, 0.041, 0.029, 0.024),
    3584: (0.017, 0.014, 0.010, 0.009),
}
"""The gazing ratio that reaches that loss, by px and frame rate, of all 265 tokens of a frame (Figure 7, right).
Printed there: 0.205, 0.181, 0.132, 0.069, 0.058, 0.040, 0.024, 0.009; the others are read off the figure."""
BATCH = 16

Attention = Literal["math", "fastest"]
Count = Annotated[int, Field(ge=1)]


def _cells(given: Any) -> Any:
    """Of the text `FPSxPX,…`; anything else as it is."""
    if not isinstance(given, str):
        return given
    try:
        cells = tuple((int(a), int(b)) for a, b in (part.lower().split("x") for part in given.split(",")))
    except ValueError:
        cells = ()
    if not cells or min(min(cell) for cell in cells) < 1:
        raise ValueError("write FPSxPX, for example 1x224,30x448")
    return cells


def _ratios(given: Any) -> Any:
    """Of the text of a number, the number; else ValueError for what is no ratio."""
    if given in ("paper", "measured"):
        return given
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise ValueError("allowed: paper, measured, or a number in (0, 1]")
    return value


@checked(frozen=True, config=STRICT)
class Request:
    """What to time.

    cells: frames a second (frames, for `stages`) and px; None: the paper's columns. attention: "math" is without
    flash attention, as in the paper. checkpoint: AutoGaze's; random weights of the shape's size without. ratios:
    "paper", "measured" (the selector stops at loss 0.7) or a number. rounds: timed after one to warm up. cell_seconds:
    cells that would last longer are left out. batch: tiles at a time.
    """

    kind: Kind
    video: Path
    shape: str = "base"
    cells: Annotated[tuple[tuple[int, int], ...], BeforeValidator(_cells)] = COLUMNS
    device: str = "cpu"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    attention: Attention = "math"
    selector: str = "autogaze"
    checkpoint: str | None = None
    ratios: Annotated[float | str, BeforeValidator(_ratios)] = "paper"
    rounds: Count = 3
    cell_seconds: Annotated[float, Field(ge=0)] = 600.0
    batch: Count = BATCH
    gazed: tuple[bool, ...] = (False, True)

    def __post_init__(self) -> None:
        one_of("latency", "shape", self.shape, SHAPES)
        check_selector("latency", self.selector)
        check_device(self.device)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """From the command's options. Raises RunError naming the option and what is allowed."""
        default = {"cells": STAGES} if given["kind"] == "stages" and given.get("cells") is None else {}
        return read(cls, "latency", {**given, **default})

    def settings(self) -> dict[str, Any]:
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**own, "video": self.video.name, "cells": [list(cell) for cell in self.cells]}

    def asked(self, fps: int, resolution: int) -> tuple[float | None, float | None]:
        """(ratio, loss) to gaze with in a cell."""
        if self.ratios == "measured":
            return None, LOSS
        return paper_ratio(fps, resolution) if self.ratios == "paper" else float(self.ratios), None

    def row(
        self, fps: int, resolution: int, gazed: bool, ratio: float | None, timing: Timing, **more: Any
    ) -> Row:
        return Row(
            kind=self.kind, fps=fps, resolution=resolution, gazed=gazed, ratio=ratio, dtype=self.dtype,
            attention=self.attention, hardware=hardware(self.device), selector=self.selector if gazed else None,
            **timing.fields(), **more,
        )  # fmt: skip


def paper_ratio(fps: int, resolution: int) -> float:
    """Of the next larger resolution and frame rate that the figure has; the largest beyond it.

    >>> paper_ratio(30, 448)
    0.058
    """
    sizes = tuple(PAPER)
    size = sizes[min(bisect_left(sizes, resolution), len(sizes) - 1)]
    return PAPER[size][min(bisect_left(FPS, fps), len(FPS) - 1)]
