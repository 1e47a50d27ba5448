"""Where the answer to each question was, frame by frame: `evidence.jsonl`.

One line a question and frame in which some of its text can be seen::

    {"question_id": "3", "frame": 41, "box": [2345, 331, 2430, 343], "visible": 1.0, "cap": 11}

box: x0, y0, x1, y1 in px of the 3840 x 2160 frame (x1, y1 exclusive); visible: share of the text's box inside
the frame with nothing in front, in (0, 1]; cap: height of its capitals in px in this frame.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hlvid.errors import DatasetError
from hlvid.files import whole, write_text
from hlvid.mini.stage import Sighting

NAME = "evidence.jsonl"


@dataclass(frozen=True)
class Seen:
    """A text in a frame, as a line of the file has it, or as a detector found it."""

    frame: int
    box: tuple[float, float, float, float]
    visible: float
    cap: float


def load(root: Path) -> dict[str, list[Seen]]:
    """Every line of a dataset's file, by question id. Raises DatasetError where it has none."""
    path = root / NAME
    if not path.is_file():
        raise DatasetError(
            f"{path}: not there; only HLVid-Mini has evidence boxes, make it with 'hlvid mini'"
        )
    found: dict[str, list[Seen]] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        x0, y0, x1, y1 = row["box"]
        found.setdefault(row["question_id"], []).append(
            Seen(row["frame"], (x0, y0, x1, y1), row["visible"], row["cap"])
        )
    return found


def line(frame: int, sighting: Sighting) -> str:
    """One line of the file, without line end."""
    return json.dumps(
        {
            "question_id": sighting.question_id,
            "frame": frame,
            "box": list(sighting.box),
            "visible": sighting.visible,
            "cap": sighting.cap,
        }
    )


def write(path: Path, lines: Iterable[str]) -> None:
    """Write all lines at once: the file is there complete or not at all."""
    write_text(path, "".join(f"{text}\n" for text in lines))


def join(parts: Sequence[Path], path: Path) -> None:
    """One file of all parts, in order."""
    with whole(path) as fresh, fresh.open("w", encoding="utf-8") as file:
        for source in parts:
            file.write(source.read_text(encoding="utf-8"))
