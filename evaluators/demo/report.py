"""The demo's HTML report: the table, the figure, and for one question a tier what the reader saw.

The page opens from disk and asks nothing of a network. Pictures show, at the highest resolution of the run, the
frame, the gazed patches by scale and what is rebuilt from these patches alone; below, the same around the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from autogaze.gaze import SCALES
from autogaze.overlay import gazed
from autogaze.palette import COLOURS
from autogaze.tiling import Picture, Tiling
from evaluators.demo.rows import Row
from evaluators.demo.table import row_cells, tier_names
from evaluators.models.gaze_reader.gazing import Look, Looker
from evaluators.models.gaze_reader.settings import ReaderSettings
from evaluators.runs.report import flat
from hlvid.dataset import Question
from hlvid.mini.evidence import load as load_evidence
from hlvid.video import Video
from hlvid.video.tiles import fit_long_side

Box = tuple[int, int, int, int]

WIDTH = 1100  # px of a picture in the report
CLOSE_UP = 520  # px of a close-up
WHOLE = 0.99  # of a text that is shown: all of it
TITLES = ("the frame", "gazed patches by scale", "rebuilt from the gazed patches alone")


@dataclass(frozen=True)
class Shown:
    """A picture file beside the page and its caption."""

    file: str
    title: str


@dataclass(frozen=True)
class Example:
    """One question with what was seen when it was answered."""

    question: Question
    frame: int
    caption: str
    parsed: str | None
    correct: bool
    note: str
    pictures: Sequence[Shown]
    close_ups: Sequence[Shown]


def write_report(
    rows: Sequence[Row], questions: Sequence[Question], dataset: Path, facts: Mapping[str, Any], out: Path
) -> None:
    """Write `report.html` and its pictures to `out`; `facts` are shown as they are under "How it was made"."""
    tiers = tier_names(rows)
    environment = Environment(
        loader=PackageLoader("evaluators.demo", "."), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("report.html.j2").render(
        rows=rows,
        tiers=tiers,
        table=[row_cells(row, tiers) for row in rows],
        examples=_examples(rows, questions, dataset, out),
        scale_colours=[
            (f"{scale} px", f"rgb{colour}") for scale, colour in zip(SCALES, COLOURS, strict=True)
        ],
        environment={key: flat(value) for key, value in facts.items()},
        made_on=facts["made"],
    )
    (out / "report.html").write_text(page, encoding="utf-8")


def _examples(rows: Sequence[Row], questions: Sequence[Question], dataset: Path, out: Path) -> list[Example]:
    """One question a tier, alternating between the categories, from the run that saw most."""
    readers = [row for row in rows if row.cell.model == "gaze_reader"]
    if not readers:
        return []
    best = max(readers, key=lambda row: (row.asked("resolution"), row.asked("ratio")))
    evidence = {
        name: {one.frame: one.box for one in seen if one.visible >= WHOLE}
        for name, seen in load_evidence(dataset).items()
    }
    samples = {str(sample["question_id"]): sample for sample in best.samples}
    categories = sorted({question.category for question in questions})
    examples = []
    for index, tier in enumerate(tier_names(rows)):
        wanted = categories[index % len(categories)]
        pool = [one for one in questions if one.tier == tier and one.id in samples and evidence.get(one.id)]
        pool.sort(key=lambda one: (one.category != wanted, not samples[one.id]["correct"]))
        if pool:
            examples.append(_example(pool[0], samples[pool[0].id], evidence[pool[0].id], best, out))
    return examples


def _example(
    question: Question, sample: Mapping[str, Any], boxes: Mapping[int, tuple[float, ...]], row: Row, out: Path
) -> Example:
    details = sample["details"]
    seen = [index for index in details["frame_indices"] if index in boxes]
    frame = seen[len(seen) // 2] if seen else sorted(boxes)[len(boxes) // 2]
    path = question.video_path
    assert path is not None  # load() resolves it
    settings = ReaderSettings.read(row.cell.model_args)
    look, looker = look_at(path, frame, settings)
    boxes_seen = look.gaze.boxes(look.tiling.boxes())
    pictures = (look.original, gazed(look.original, boxes_seen, 1), look.rebuilt)
    height, width = look.original.shape[:2]
    box = tuple(round(value * width / details["pixels_native"][1]) for value in boxes[frame])
    crop = _around((box[0], box[1], box[2], box[3]), width, height)
    caption = f"{settings.selector}, {width} x {height}, {looker.tokens_selected:,} of {looker.tokens_valid:,} tokens"
    note = "(a guess: no option was read)" if details.get("abstained") else ""
    if not seen:
        note += " (the text is in none of the frames that were sampled; this is a frame that shows it)"
    name = f"q{question.id}"
    return Example(
        question, frame, caption, sample["parsed"], sample["correct"], note,
        _save(pictures, TITLES, WIDTH, f"{name}-whole", out),
        _save([picture[crop] for picture in pictures], ("close-up",) * 3, CLOSE_UP, f"{name}-close", out),
    )  # fmt: skip


def look_at(path: Path, frame: int, settings: ReaderSettings) -> tuple[Look, Looker]:
    """The look at frame number `frame`, with the counts of that frame alone."""
    with Video.open(path) as video:
        size = fit_long_side(video.width, video.height, settings.resolution)
        looker = Looker(settings, Tiling.of(*size))
        history = looker.selector.history
        if history is None:
            history = min(frame, (looker.selector.clip_frames or frame + 1) - 1)
        frames = list(video.stream(range(max(0, frame - history), frame + 1), size))
    *_, look = looker.looks(frames)
    looker.tokens_selected //= len(frames)
    looker.tokens_valid //= len(frames)
    return look, looker


def _around(box: Box, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of a 2:1 window around a box, three times as wide, inside the picture."""
    wide = min(width, max(3 * (box[2] - box[0]), 160))
    tall = min(height, max(wide // 2, 2 * (box[3] - box[1])))
    left = min(max((box[0] + box[2] - wide) // 2, 0), width - wide)
    top = min(max((box[1] + box[3] - tall) // 2, 0), height - tall)
    return slice(top, top + tall), slice(left, left + wide)


def _save(
    pictures: Sequence[Picture], titles: Sequence[str], width: int, name: str, out: Path
) -> list[Shown]:
    """JPEG files of `width` px; close-ups are enlarged without smoothing, so that their pixels can be seen."""
    folder = out / "pictures"
    folder.mkdir(exist_ok=True)
    shown = []
    for index, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        tall = round(picture.shape[0] * width / picture.shape[1])
        how = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_NEAREST
        resized = cv2.resize(np.ascontiguousarray(picture), (width, tall), interpolation=how)
        file = folder / f"{name}-{index}.jpg"
        cv2.imwrite(str(file), resized[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        shown.append(Shown(f"pictures/{file.name}", title))
    return shown
