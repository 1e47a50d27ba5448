"""Evidence recall: was the text that a question asks for looked at, finely enough to be read?

HLVid-Mini knows where each answer stands in each frame. Frames that show at least 90 % of it count. A box counts as
covered by as much of it as lies in gazed patches of a scale at which its capitals are at least 6 px high: the height
from which the offline reader told the options apart in 24 of 24 texts (`hlvid.mini.plan`).

    boxes = load(root)                                           # question id -> its sightings
    coverage(sighting, cells, tile=224, size=(1008, 1792))       # 0 to 1
    measure(dataset, selectors, ratios, resolution=1792)         # question, selector, ratio, covered, ...
    measure_recordings([Path("street.mp4")], selectors, ratios)  # the same of lines that a text detector finds

What a detector finds in a recording is no truth: such lines compare gazes, and favour one that the detector taught.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from autogaze.gaze import SCALES
from autogaze.selectors.base import Selector
from autogaze.selectors.text_map import lines, text_map
from autogaze.tiling import Picture, Tiling
from evaluators.core.gaze_file import Mask
from evaluators.core.gaze_file import load as load_gaze
from hlvid.dataset import Question, locate
from hlvid.dataset import load as load_questions
from hlvid.errors import DatasetError
from hlvid.video import Video, sampling
from hlvid.video.tiles import fit_long_side

if TYPE_CHECKING:
    import pandas as pd

    from analysis.records import Run

READABLE = 6.0  # px of cap height
NATIVE = (2160, 3840)
VISIBLE = 0.9  # of a text, at least, for the frame to count as showing it
COVERED = 0.9  # of the box: the rest may be the rim around the letters
FRAMES = 12
LOOKED = 2  # frames of a video that are gazed: those that show the most answers
SURE = 0.6  # mean probability from which on what the detector finds counts as a line


@dataclass(frozen=True)
class Sighting:
    """A text in a frame: box (x0, y0, x1, y1) in px of a picture 3840 wide, visible in (0, 1], cap height in px."""

    frame: int
    box: tuple[float, float, float, float]
    visible: float
    cap: float


def load(root: Path) -> dict[str, list[Sighting]]:
    """All sightings by question id. Raises DatasetError where the dataset has no evidence."""
    path = root / "evidence.jsonl"
    if not path.is_file():
        raise DatasetError(
            f"{path}: not there; only HLVid-Mini has evidence boxes, make it with 'hlvid mini'"
        )
    found: dict[str, list[Sighting]] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        box = (row["box"][0], row["box"][1], row["box"][2], row["box"][3])
        found.setdefault(row["question_id"], []).append(
            Sighting(row["frame"], box, row["visible"], row["cap"])
        )
    return found


def speed(sightings: Sequence[Sighting]) -> float:
    """Median speed of a text, px of 4K a frame; 0 where it is seen once."""
    middle = [((s.box[0] + s.box[2]) / 2, (s.box[1] + s.box[3]) / 2, s.frame) for s in sightings]
    steps = [
        np.hypot(b[0] - a[0], b[1] - a[1]) / (b[2] - a[2]) for a, b in pairwise(middle) if b[2] - a[2] == 1
    ]
    return float(np.median(steps)) if steps else 0.0


def coverage(sighting: Sighting, cells: Sequence[Mask], tile: int, size: tuple[int, int]) -> float:
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


def can_be_read(sighting: Sighting, width: int) -> bool:
    """Whether the finest patches of a picture of this width show the text finely enough."""
    return sighting.cap * width / NATIVE[1] >= READABLE


def measure(
    dataset: str | Path, chosen: Mapping[str, Selector], ratios: Sequence[float], resolution: int
) -> "pd.DataFrame":
    """One row a question, selector (by the name given) and ratio: `covered`, the best coverage over the frames looked
    at, and `tokens`, the share of tokens spent there.

    Frames: of 12 spread uniformly over a video, the two that show the most answers; questions that none of
    them shows readably at this resolution are left out.
    """
    import pandas as pd

    root, questions = locate(dataset).root, load_questions(dataset)
    boxes, rows = load(root), []
    videos = list(dict.fromkeys(question.video for question in questions))
    for name in tqdm(videos, desc="evidence", leave=False):
        mine = {question.id: question for question in questions if question.video == name}
        with Video.open(root / "videos" / name) as video:
            size = fit_long_side(video.width, video.height, resolution)
            sampled = sampling.uniform_linspace(video.frame_count, FRAMES)
            shown = _sightings(list(mine.values()), boxes, sampled, size[1])
            found = _Shown.of(video, size, {frame: shown[frame] for frame in _busiest(shown)})
        for key, row in found.gazed(chosen, ratios):
            one = mine[key]
            rows.append(
                {"question": key, "source": one.source, "tier": one.tier, "speed": speed(boxes[key])} | row
            )
    return pd.DataFrame(rows)


def measure_recordings(
    paths: Sequence[Path], chosen: Mapping[str, Selector], ratios: Sequence[float]
) -> "pd.DataFrame":
    """The same of recordings, in their own size; a question is a line of text that the OCR package's detector finds in
    one of two frames, at a third and two thirds. Raises ValueError without the OCR package."""
    import pandas as pd

    rows = []
    for path in tqdm(paths, desc="recordings", leave=False):
        with Video.open(path) as video:
            size = (video.height, video.width)
            frames = sorted({video.frame_count // 3, video.frame_count * 2 // 3})
            shown = {
                frame: _detected(frame, picture)
                for frame, picture in zip(frames, video.frames(frames, size), strict=True)
            }
            found = _Shown.of(video, size, {frame: lines for frame, lines in shown.items() if lines})
        rows += [
            {"question": f"{path.stem} {key}", "source": path.stem} | row
            for key, row in found.gazed(chosen, ratios)
        ]
    return pd.DataFrame(rows)


def _detected(frame: int, picture: Picture) -> dict[str, Sighting]:
    """Lines that the detector is sure of and that can be read at this size."""
    factor = NATIVE[1] / picture.shape[1]
    found = [line for line in lines(text_map(picture)) if line.sure >= SURE and line.cap >= READABLE]
    return {
        f"{frame}-{n}": Sighting(
            frame, (left * factor, top * factor, right * factor, bottom * factor), 1.0, line.cap * factor
        )
        for n, line in enumerate(found)
        for left, top, right, bottom in [line.letters]
    }


@dataclass(frozen=True)
class _Shown:
    """Frames of a video to gaze at, each with the one before it, and the texts they show by question."""

    size: tuple[int, int]
    pairs: dict[int, Picture]
    texts: dict[int, dict[str, Sighting]]

    @classmethod
    def of(cls, video: Video, size: tuple[int, int], texts: dict[int, dict[str, Sighting]]) -> "_Shown":
        before = {frame: max(0, frame - 1) for frame in texts}
        wanted = sorted({*texts, *before.values()})
        pictures = dict(zip(wanted, video.frames(wanted, size), strict=True))
        return cls(size, {t: np.stack([pictures[before[t]], pictures[t]]) for t in texts}, texts)

    def gazed(
        self, chosen: Mapping[str, Selector], ratios: Sequence[float]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """(question, its row) of every selector and ratio."""
        tiling = Tiling.of(*self.size)
        for (name, selector), ratio in product(chosen.items(), ratios):
            best: dict[str, float] = {}
            spent = []
            for frame, pair in self.pairs.items():
                cells = _cells(selector, tiling, pair if selector.history else pair[1:], ratio)
                spent.append(sum(int(grid.sum()) for grid in cells) / int(tiling.valid.sum()))
                for key, sighting in self.texts[frame].items():
                    best[key] = max(best.get(key, 0.0), coverage(sighting, cells, SCALES[-1], self.size))
            told = {"selector": name, "ratio": ratio, "tokens": float(np.mean(spent)) if spent else 0.0}
            yield from ((key, told | {"covered": covered}) for key, covered in best.items())


def of_runs(runs: Sequence["Run"], dataset: str | Path) -> "pd.DataFrame":
    """The same from the gazes that runs of `gaze_reader` kept, with `correct`: what was seen, and answered.

    A configuration's question counts once, however many runs (a short one with `--limit` first) have answered it.
    """
    import pandas as pd

    from analysis.records import preferred_first

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


def _sightings(
    questions: Sequence[Question], boxes: Mapping[str, list[Sighting]], frames: Sequence[int], width: int
) -> dict[int, dict[str, Sighting]]:
    """Per frame: the readable sightings of each question there."""
    shown: dict[int, dict[str, Sighting]] = {frame: {} for frame in frames}
    for question in questions:
        for sighting in boxes.get(question.id, ()):
            if sighting.frame in shown and sighting.visible >= VISIBLE and can_be_read(sighting, width):
                shown[sighting.frame][question.id] = sighting
    return shown


def _busiest(shown: Mapping[int, Mapping[str, Sighting]]) -> list[int]:
    """Frames that together show the most questions, greedily."""
    chosen: list[int] = []
    seen: set[str] = set()
    for _ in range(LOOKED):
        frame = max(shown, key=lambda f: (len(set(shown[f]) - seen), -f))
        if set(shown[frame]) - seen:
            chosen.append(frame)
            seen |= set(shown[frame])
    return chosen


def _cells(selector: Selector, tiling: Tiling, frames: Picture, ratio: float) -> list[Mask]:
    """The patches chosen in the last of `frames`, per scale over the whole picture."""
    with torch.no_grad():
        gaze = selector.select(tiling.split(frames), ratio=ratio, valid=tiling.valid, layout=tiling.layout)
    return [tiling.join_patches(mask)[-1] for mask in gaze.scale_masks()]
