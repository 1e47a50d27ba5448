"""Which detail tier of HLVid-Mini can be read at which resolution: RapidOCR on encoded frames, as a table.

    python benchmarks/mini_tiers.py                     # the default preset; makes it when missing
    python benchmarks/mini_tiers.py --preset tiny --resolutions 896,3584 --json tiers.json

For each question the frame in the middle of its best visible stretch is decoded and downscaled to the resolution
(area average). OCR reads the surroundings of the text, at that size, with those of all other questions packed on
one picture. A question counts as read where what was read there is nearer to the right option than to every wrong
one. Nothing is guessed: 0 % is unreadable.
"""

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from evaluators.models.gaze_reader.ocr import Engine
from hlvid.dataset import Question, load
from hlvid.mini import make

RESOLUTIONS = (448, 896, 1792, 3584)
GAP = 16  # px of grey between regions
Box = tuple[int, int, int, int]
Picture = NDArray[np.uint8]


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resolutions", default=",".join(map(str, RESOLUTIONS)))
    parser.add_argument("--json", type=Path, help="also write the table there")
    arguments = parser.parse_args()
    folder = make(preset=arguments.preset, seed=arguments.seed)
    resolutions = [int(width) for width in arguments.resolutions.split(",")]
    table, counts = readable(folder, resolutions)
    print(f"{'tier':>6} {'n':>3} " + " ".join(f"{width:>7}" for width in resolutions))
    for tier in sorted(table, reverse=True):
        shares = " ".join(f"{100 * table[tier][width]:6.0f}%" for width in resolutions)
        print(f"{tier:>6} {counts[tier]:>3} {shares}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n")


def readable(folder: Path, resolutions: list[int]) -> tuple[dict[str, dict[int, float]], dict[str, int]]:
    """Share of each tier's questions that OCR answers at each width, and the number of questions a tier."""
    engine, moments, questions = Engine(), best_moments(folder), load(folder)
    counts = Counter(str(question.tier) for question in questions)
    regions: dict[int, list[Picture]] = {width: [] for width in resolutions}
    for question in tqdm(questions, desc="decode", unit="question"):
        index, box = moments[question.id]
        frame = _frame(question, index)
        for width in resolutions:
            regions[width].append(_region(frame, box, width))
    table: dict[str, dict[int, float]] = {tier: {} for tier in counts}
    for width in resolutions:
        texts = _read_all(engine, regions[width])
        right = Counter(
            str(q.tier)
            for q, text in zip(questions, texts, strict=True)
            if _choose(text, q.options) == q.answer
        )
        for tier, count in counts.items():
            table[tier][width] = right[tier] / count
    return table, dict(counts)


def best_moments(folder: Path) -> dict[str, tuple[int, Box]]:
    """question id -> (frame, box) in the middle of the frames where its text is largest and unhidden."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for text in (folder / "evidence.jsonl").read_text().splitlines():
        line = json.loads(text)
        lines[line["question_id"]].append(line)
    chosen = {}
    for name, seen in lines.items():
        best = max((line["cap"], line["visible"]) for line in seen)
        best_lines = [line for line in seen if (line["cap"], line["visible"]) == best]
        middle = best_lines[len(best_lines) // 2]
        chosen[name] = (middle["frame"], tuple(middle["box"]))
    return chosen


def _frame(question: Question, index: int) -> Picture:
    from hlvid.video import Video

    assert question.video_path is not None
    with Video.open(question.video_path) as video:
        frame: Picture = video.frames([index])[0]
        return frame


def _region(frame: Picture, box: Box, width: int) -> Picture:
    """The surroundings of `box` in the frame downscaled to `width`."""
    import cv2

    height = round(frame.shape[0] * width / frame.shape[1])
    small: Picture = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    scale = width / frame.shape[1]
    margin = max(3, round((box[3] - box[1]) * scale * 0.9))
    left, top = round(box[0] * scale) - margin, round(box[1] * scale) - margin
    right, bottom = round(box[2] * scale) + margin, round(box[3] * scale) + margin
    return small[max(0, top) : bottom, max(0, left) : right]


def _read_all(engine: Engine, regions: list[Picture]) -> list[str]:
    """What OCR reads in each region, all of them side by side on one grey picture."""
    places, x, y, shelf, side = [], GAP, GAP, 0, 1600
    for region in regions:
        height, width = region.shape[:2]
        if x + width + GAP > side:
            x, y, shelf = GAP, y + shelf + GAP, 0
        places.append((x, y, x + width, y + height))
        x, shelf = x + width + GAP, max(shelf, height)
    canvas = np.full((-(-(y + shelf + GAP) // 32) * 32, side, 3), 128, np.uint8)
    for region, (x0, y0, x1, y1) in zip(regions, places, strict=True):
        canvas[y0:y1, x0:x1] = region
    found = engine.read(canvas)
    return [" ".join(text.text for text in found if _inside(text.box, place)) for place in places]


def _inside(box: tuple[float, float, float, float], place: Box) -> bool:
    """Does the middle of `box` lie in `place` (with some tolerance)?"""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return place[0] - 4 <= x <= place[2] + 4 and place[1] - 4 <= y <= place[3] + 4


def _choose(read: str, options: Any) -> str | None:
    """The one option nearest to what was read, or None where two are equally near or nothing was read."""
    from rapidfuzz import fuzz

    plain = read.upper().replace(" ", "")
    scores = {letter: fuzz.partial_ratio(text.replace(" ", ""), plain) for letter, text in options.items()}
    best = max(scores.values())
    winners = [letter for letter, score in scores.items() if score == best]
    return winners[0] if best > 60 and len(winners) == 1 else None


if __name__ == "__main__":
    main()
