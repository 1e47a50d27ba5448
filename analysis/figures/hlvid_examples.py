"""Figure 13: questions, the frame they are about, and the text they ask for, enlarged where its place is known."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis import style
from analysis.figure import Made
from analysis.inputs import Inputs
from analysis.reference import row
from hlvid.dataset import Question, load
from hlvid.errors import DatasetError
from hlvid.mini.evidence import Seen
from hlvid.mini.evidence import load as load_boxes
from hlvid.video import Video

EXAMPLES = 4
WIDTH = 960


def make(inputs: Inputs) -> Made:
    root = inputs.dataset_root()
    questions = [q for q in load(root) if q.video_path is not None and q.video_path.is_file()]
    if not questions:
        raise DatasetError(f"{root}: no video of its questions is there; fetch some with 'hlvid download'")
    boxes = load_boxes(root) if (root / "evidence.jsonl").is_file() else {}
    chosen = _choose(questions)
    pictures = [_pictures(q, _best(boxes.get(q.id, ()))) for q in chosen]
    numbers = pd.DataFrame(
        [row("measured", q.category, question=q.id, video=q.video, frame=p["frame"], tier=q.tier, stem=q.stem,
             answer=q.answer) for q, p in zip(chosen, pictures, strict=True)]
    )  # fmt: skip
    known = (
        "Boxes: where the generator put the text; right: the same pixels enlarged."
        if boxes
        else "Middle frames: no boxes are published."
    )
    caption = (
        f"{len(chosen)} of {len(questions)} questions of dataset {inputs.dataset}; the right option "
        f"is marked. {known}"
    )
    return Made(numbers, caption, lambda: _draw(chosen, pictures))


def _choose(questions: Sequence[Question]) -> list[Question]:
    """One of each tier (else of each category, else the first), from different videos where possible."""
    chosen: list[Question] = []
    groups = sorted({q.tier or q.category for q in questions}, reverse=True)
    for k in range(EXAMPLES):
        group = groups[k % len(groups)]
        rest = [q for q in questions if (q.tier or q.category) == group and q not in chosen]
        fresh = [q for q in rest if q.video not in {c.video for c in chosen}]
        chosen += (fresh or rest or [q for q in questions if q not in chosen])[:1]
    return chosen


def _best(sightings: Sequence[Seen]) -> Seen | None:
    """The largest wholly visible sighting."""
    return max(sightings, key=lambda s: (s.visible, s.cap, -s.frame), default=None)


def _pictures(question: Question, sighting: Seen | None) -> Mapping[str, Any]:
    """The frame, small, the box on it, and the region around the box at full resolution."""
    assert isinstance(question.video_path, Path)
    with Video.open(question.video_path) as video:
        at = sighting.frame if sighting else video.frame_count // 2
        full = video.frames([at])[0]
    factor = WIDTH / full.shape[1]
    small = cv2.resize(full, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    if sighting is None:
        return {"frame": at, "small": small, "zoom": None, "box": None}
    return {
        "frame": at,
        "small": small,
        "zoom": _around(full, sighting.box),
        "box": [x * factor for x in sighting.box],
    }


def _around(picture: Any, box: tuple[float, float, float, float]) -> Any:
    """The box with half its height of rim, widened to 3 : 2, inside the picture."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    height = max(2.2 * (box[3] - box[1]), 1.2 * (box[2] - box[0]) * 2 / 3)
    width = 1.5 * height
    left = int(np.clip(middle[0] - width / 2, 0, max(0, picture.shape[1] - width)))
    top = int(np.clip(middle[1] - height / 2, 0, max(0, picture.shape[0] - height)))
    return picture[top : top + int(height), left : left + int(width)]


def _draw(questions: Sequence[Question], pictures: Sequence[Mapping[str, Any]]) -> Figure:
    figure, axes = style.panels(
        len(questions), 3, 1.42 * len(questions), gridspec_kw={"width_ratios": [1.78, 1.5, 1.65]}
    )
    for k, (question, one) in enumerate(zip(questions, pictures, strict=True)):
        frame, zoom, text = axes[3 * k : 3 * k + 3]
        style.picture(frame, one["small"])
        if one["box"]:
            x0, y0, x1, y1 = one["box"]
            pad = 8
            frame.add_patch(
                Rectangle(
                    (x0 - pad, y0 - pad),
                    x1 - x0 + 2 * pad,
                    y1 - y0 + 2 * pad,
                    fill=False,
                    color="#FF3B30",
                    lw=1.2,
                )
            )
            zoom.imshow(one["zoom"], interpolation="nearest")
        zoom.set_axis_off()
        text.set_axis_off()
        lines = textwrap.wrap(question.stem, 36)
        lines += [
            f"{'>' if letter == question.answer else ' '} {letter}. {option}"
            for letter, option in question.options.items()
        ]
        tier = f", {question.tier}" if question.tier else ""
        text.set_title(f"{question.category}{tier}, frame {one['frame']}", loc="left", color=style.GREY)
        text.text(0, 0.98, "\n".join(lines), va="top", fontsize=7, linespacing=1.35, transform=text.transAxes)
    return figure
