"""The page: a folder that opens from disk. Pictures are drawn in the browser from the bits written here.

`data.js` holds all numbers and gazes as one assignment, since a page opened from disk may not fetch files.
"""

import base64
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from analysis.explore.proxy import make_proxy
from analysis.explore.series import Frame, Story
from autogaze.palette import COLOURS

STATIC = ("index.html", "explore.css", "explore.js")


@dataclass(frozen=True)
class Chapter:
    """One video of the page: its gazed frames, and the questions about it (JSON values, see `asked`)."""

    story: Story
    questions: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def write_page(chapters: Sequence[Chapter], out: Path, title: str) -> Path:
    """Write the folder; returns the path of its index.html."""
    out.mkdir(parents=True, exist_ok=True)
    static = files("analysis.explore").joinpath("static")
    for name in STATIC:
        with as_file(static.joinpath(name)) as path:
            shutil.copyfile(path, out / name)
    content = {
        "title": title,
        "colours": ["#{:02x}{:02x}{:02x}".format(*colour) for colour in COLOURS],
        "videos": [_video(chapter, out) for chapter in chapters],
    }
    # "<" escaped: a question's text can then never end the script element or be read as markup.
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    (out / "data.js").write_text(f"window.EXPLORE = {text};\n", encoding="utf-8")
    return out / "index.html"


def asked(sample: Mapping[str, Any], sightings: Sequence[Any]) -> dict[str, Any]:
    """A run's answer to a question as the page shows it, with where the text it asks for is seen."""
    return {
        "id": sample["question_id"], "tier": sample.get("tier"), "given": sample["parsed"],
        **{name: sample[name] for name in ("stem", "options", "answer")},
        "correct": bool(sample["correct"]), "raw": str(sample["raw_output"])[:2000],
        "evidence": [
            [s.frame, *(round(x / n, 5) for x, n in zip(s.box, (3840, 2160, 3840, 2160), strict=True)), s.visible]
            for s in sightings
        ],
    }  # fmt: skip


def _video(chapter: Chapter, out: Path) -> dict[str, Any]:
    story = chapter.story
    proxy = make_proxy(story.path, out / "videos")
    return {
        "name": story.path.name, "src": proxy.relative_to(out).as_posix(), "duration": story.duration, "fps": story.fps,
        "width": story.width, "height": story.height, "tile": story.tile, "scales": list(story.scales),
        "looker": story.looker, "frames": [_frame(frame) for frame in story.frames],
        "questions": list(chapter.questions),
    }  # fmt: skip


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "index": frame.index, "t": round(frame.seconds, 4), "ratio": round(frame.ratio, 5), "loss": _number(frame.loss),
        "predicted": _number(frame.predicted), "flow": _number(frame.flow),
        "cells": [[*cells.shape, base64.b64encode(np.packbits(cells).tobytes()).decode()] for cells in frame.cells],
        "tokens": [int(cells.sum()) for cells in frame.cells],
    }  # fmt: skip


def _number(value: float | None) -> float | None:
    """JSON knows no NaN."""
    return None if value is None or value != value else round(value, 5)
