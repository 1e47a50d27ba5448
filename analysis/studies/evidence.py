"""Evidence recall: was the text that a question asks for looked at, finely enough to be read?

HLVid-Mini knows where each answer stands in each frame. Frames that show at least 90 % of it count. A box counts as
covered by as much of it as lies in gazed patches of a scale at which its capitals are at least 6 px high: the height
from which the offline reader told the options apart in 24 of 24 texts (`hlvid.mini.plan`).

    boxes = hlvid.mini.evidence.load(root)                       # question id -> where its text is seen
    coverage(seen, cells, tile=224, size=(1008, 1792))       # 0 to 1

`analysis.studies.recall` gazes and measures.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.measured import preferred_first
from analysis.records import Run
from autogaze.gaze import SCALES
from evaluators.core.gaze_file import Mask
from evaluators.core.gaze_file import load as load_gaze
from hlvid.dataset import load as load_questions
from hlvid.dataset import locate
from hlvid.mini.evidence import Seen, load

READABLE = 6.0  # px of cap height
NATIVE = (2160, 3840)
VISIBLE = 0.9  # of a text, at least, for the frame to count as showing it
COVERED = 0.9  # of the box: the rest may be the rim around the letters


def speed(sightings: Sequence[Seen]) -> float:
    """Median speed of a text, px of 4K a frame; 0 where it is seen once."""
    middle = [((s.box[0] + s.box[2]) / 2, (s.box[1] + s.box[3]) / 2, s.frame) for s in sightings]
    steps = [
        np.hypot(b[0] - a[0], b[1] - a[1]) / (b[2] - a[2]) for a, b in pairwise(middle) if b[2] - a[2] == 1
    ]
    return float(np.median(steps)) if steps else 0.0


def coverage(sighting: Seen, cells: Sequence[Mask], tile: int, size: tuple[int, int]) -> float:
    """Share of the box in gazed patches that show it finely enough; how much of it is visible is another matter.

    cells: per scale, coarse first, bool (rows * g, columns * g). tile: px of a tile's side. size: (height,
    width) of the picture that was gazed at, padding left out.
    """
    factor = size[1] / NATIVE[1]
    left, top, right, bottom = (value * factor for value in sighting.box)
    # The box on a raster of quarter patches of the finest scale would blur small boxes: 32 x 32 points do not.
    x = left + (np.arange(32) + 0.5) / 32 * (right - left)
    y = top + (np.arange(32) + 0.5) / 32 * (bottom - top)
    seen = np.zeros((32, 32), bool)
    finest = SCALES[-1]
    for scale, grid in zip(SCALES, cells, strict=True):
        if sighting.cap * factor * scale / finest < READABLE:
            continue
        side = grid.shape[0] / (np.ceil(size[0] / tile) * tile)  # patches a pixel
        rows = np.clip((y * side).astype(int), 0, grid.shape[0] - 1)
        columns = np.clip((x * side).astype(int), 0, grid.shape[1] - 1)
        seen |= grid[np.ix_(rows, columns)]
    return float(seen.mean())


def can_be_read(sighting: Seen, width: int) -> bool:
    """Whether the finest patches of a picture of this width show the text finely enough."""
    return sighting.cap * width / NATIVE[1] >= READABLE


def of_runs(runs: Sequence[Run], dataset: str | Path) -> pd.DataFrame:
    """The same from the gazes that runs of `gaze_reader` kept, with `correct`: what was seen, and answered.

    A configuration's question counts once, however many runs (a short one with `--limit` first) have answered it.
    """
    counted: set[tuple[str, str]] = set()
    boxes, rows = load(locate(dataset).root), []
    known = {question.id: (question.stem, question.options) for question in load_questions(dataset)}
    for run in preferred_first(runs):
        for sample in run.samples():
            path = run.folder / "gaze" / str(sample.get("details", {}).get("gaze_file", ""))
            # Another preset or seed has the same ids and other questions.
            same = known.get(sample["question_id"]) == (sample.get("stem"), sample.get("options"))
            key = (run.configuration, sample["question_id"])
            if not (same and path.is_file()) or key in counted:
                continue
            counted.add(key)
            gazes = load_gaze(path)
            best = [
                coverage(s, gazes.cells(s.frame), gazes.tile, gazes.size)
                for s in boxes[sample["question_id"]]
                if s.frame in gazes.masks and s.visible >= VISIBLE
            ]
            row = {"run": run.configuration, "question": sample["question_id"], "source": sample["source"]}
            rows.append(
                row
                | {"tier": sample["tier"], "covered": max(best, default=0.0), "correct": sample["correct"]}
            )
    return pd.DataFrame(rows)
