"""Which detail tier of HLVid-Mini can be read at which resolution: RapidOCR on encoded frames, as a table.

    python benchmarks/mini_tiers.py                     # the default preset; makes it when missing
    python benchmarks/mini_tiers.py --preset tiny --resolutions 896,3584 --json tiers.json

For each question the frame in the middle of its best visible stretch is decoded, downscaled to the resolution
(antialiased, as readers do), and OCR reads the region around the text. A question counts as read where the
recognised text is nearer to the right option than to every wrong one. Chance is 25 %.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlvid.dataset import Question, load
from hlvid.mini import make

RESOLUTIONS = (448, 896, 1792, 3584)
Box = tuple[int, int, int, int]


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
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR()
    moments = best_moments(folder)
    right: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    counts: dict[str, int] = defaultdict(int)
    for question in load(folder):
        frame_index, box = moments[question.id]
        frame = _frame(question, frame_index)
        counts[str(question.tier)] += 1
        for width in resolutions:
            read = _read(engine, _region(frame, box, width))
            right[str(question.tier)][width] += _choose(read, question.options) == question.answer
    return {t: {w: right[t][w] / counts[t] for w in resolutions} for t in counts}, dict(counts)


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


def _frame(question: Question, index: int) -> NDArray[np.uint8]:
    from hlvid.video import Video

    assert question.video_path is not None
    with Video.open(question.video_path) as video:
        return video.frames([index])[0]


def _region(frame: NDArray[np.uint8], box: Box, width: int) -> NDArray[np.uint8]:
    """The surroundings of `box` in the frame downscaled to `width`."""
    import cv2

    height = round(frame.shape[0] * width / frame.shape[1])
    small: NDArray[np.uint8] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    scale = width / frame.shape[1]
    margin = max(12, round((box[3] - box[1]) * scale))
    left, top = round(box[0] * scale) - margin, round(box[1] * scale) - margin
    right, bottom = round(box[2] * scale) + margin, round(box[3] * scale) + margin
    return small[max(0, top) : bottom, max(0, left) : right]


def _read(engine: Any, region: NDArray[np.uint8]) -> str:
    """All text that OCR finds in the region, enlarged so that its detector sees lines of a usual height."""
    import cv2

    factor = max(1.0, 160 / region.shape[0])
    large = cv2.resize(region, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    found, _ = engine(large[..., ::-1])
    return " ".join(line[1] for line in found or [])


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
