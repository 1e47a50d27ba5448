"""Two traces of one question, compared step by step: tokens and gaze equal, tensors within a tolerance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

TOLERANCE = 1e-4
"""Largest difference of pixels, features and logits, relative to their largest value; in float32."""
LOW_PRECISION = 2e-2
"""The same in bfloat16 and float16, in which other kernels round otherwise."""

PLURALS = {"tile": "tiles", "thumbnail": "thumbnails"}


@dataclass(frozen=True)
class Step:
    """One comparison. told: how the two differ, or what was equal."""

    name: str
    same: bool
    told: str


@dataclass
class Trace:
    """What one way made of the question. pixels, gaze and features by "tile" and "thumbnail", one entry a clip."""

    ids: list[int]
    pixels: dict[str, Tensor]
    gaze: dict[str, list[list[int]]]
    features: dict[str, Tensor]
    logits: Tensor
    answer: str


def steps(theirs: Trace, ours: Trace, tolerance: float) -> Iterator[Step]:
    yield _lists("prompt tokens", theirs.ids, ours.ids)
    for kind, plural in PLURALS.items():
        yield _tensors(f"{plural}' pixels", theirs.pixels[kind], ours.pixels[kind], TOLERANCE)
    for kind, plural in PLURALS.items():
        yield _lists(f"{plural}' gaze", theirs.gaze[kind], ours.gaze[kind])
    for kind, plural in PLURALS.items():
        yield _tensors(f"encoder output, {plural}", theirs.features[kind], ours.features[kind], tolerance)
    yield _tensors("logits of the first token", theirs.logits, ours.logits, tolerance)
    same = theirs.answer == ours.answer
    yield Step(
        "answer", same, repr(ours.answer) if same else f"theirs {theirs.answer!r}, ours {ours.answer!r}"
    )


def _lists(name: str, theirs: Sequence[Any], ours: Sequence[Any]) -> Step:
    if len(theirs) != len(ours):
        return Step(name, False, f"theirs {len(theirs)}, ours {len(ours)}")
    for place, (one, other) in enumerate(zip(theirs, ours, strict=True)):
        if one != other:
            return Step(name, False, f"first at {place}: theirs {_short(one)}, ours {_short(other)}")
    return Step(name, True, f"{len(ours)} equal")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 60 else f"{text[:57]}..."


def _tensors(name: str, theirs: Tensor, ours: Tensor, tolerance: float) -> Step:
    """Largest difference over the largest value."""
    if theirs.shape != ours.shape:
        return Step(name, False, f"theirs {tuple(theirs.shape)}, ours {tuple(ours.shape)}")
    if not theirs.numel():
        return Step(name, True, "none")
    off = float((theirs.float() - ours.float()).abs().max() / theirs.float().abs().max().clamp_min(1e-12))
    return Step(name, off <= tolerance, f"{tuple(ours.shape)}, off by {off:.2g} at most")
