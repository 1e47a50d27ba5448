"""`mini.json` (what made this folder, and is it complete) and the question file in the real format.

A folder made by another generator version, preset, seed or plan is not reused: `claim` clears our own files
in it, and refuses a folder that holds something else.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hlvid.dataset.question import INSTRUCTION
from hlvid.errors import DatasetError
from hlvid.files import whole, write_json
from hlvid.mini.plan import Asked, VideoPlan

GENERATOR = 4  # raise with every change of pixels, questions or encoding: older folders are then made anew
MANIFEST = "mini.json"
QUESTIONS = "data/test-00000-of-00001.parquet"
OURS = ("data", "videos", "evidence", "evidence.jsonl", MANIFEST)


def is_done(folder: Path, preset: str, seed: int, videos: Sequence[VideoPlan]) -> bool:
    """Is `folder` a complete set of exactly this identity, with all its files in place?"""
    found = _read(folder)
    if not found.get("done") or found.get("identity") != _identity(preset, seed, videos):
        return False
    sizes = {path.name: path.stat().st_size for path in (folder / "videos").glob("*.mp4")}
    there = all((folder / name).is_file() for name in (QUESTIONS, "evidence.jsonl"))
    return there and all(sizes.get(name) == size for name, size in found["video_bytes"].items())


def claim(folder: Path, preset: str, seed: int, videos: Sequence[VideoPlan]) -> None:
    """Make `folder` ours for this identity, clearing what another generator version left.

    Raises:
        DatasetError: the folder holds files and no manifest of ours.
    """
    found, identity = _read(folder), _identity(preset, seed, videos)
    if not found and folder.is_dir() and any(folder.iterdir()):
        raise DatasetError(f"{folder}: not empty and not made by 'hlvid mini'; choose another folder")
    if found and found.get("identity") != identity:
        for name in OURS:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / MANIFEST, {"done": False, "identity": identity})


def finish(folder: Path, preset: str, seed: int, videos: Sequence[VideoPlan]) -> None:
    """Write the final manifest: identity, questions with windows, sizes of the videos."""
    write_json(
        folder / MANIFEST,
        {
            "done": True,
            "identity": _identity(preset, seed, videos),
            "fps": videos[0].fps,
            "width": 3840,
            "height": 2160,
            "video_bytes": {v.name: (folder / "videos" / v.name).stat().st_size for v in videos},
            "questions": [_facts(v, q) for v in videos for q in v.questions],
        },
    )


def write_questions(folder: Path, videos: Sequence[VideoPlan]) -> None:
    """The parquet file with the real benchmark's columns, and `tier`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "question_id": q.id,
            "category": v.clip.category,
            "question": question_text(q),
            "answer": q.answer,
            "video_path": v.name,
            "tier": q.tier,
        }
        for v in videos
        for q in v.questions
    ]
    path = folder / QUESTIONS
    with whole(path) as fresh:
        pq.write_table(pa.Table.from_pylist(rows), fresh)


def question_text(asked: Asked) -> str:
    """Stem, options and instruction in one text, spaced as the real benchmark's: a blank opens each line."""
    options = [f"{letter}. {text}" for letter, text in asked.options.items()]
    return "\n ".join([asked.stem, *options, INSTRUCTION])


def _identity(preset: str, seed: int, videos: Sequence[VideoPlan]) -> dict[str, Any]:
    digest = hashlib.sha256(repr(list(videos)).encode()).hexdigest()
    return {"generator": GENERATOR, "preset": preset, "seed": seed, "plan": digest}


def _facts(video: VideoPlan, asked: Asked) -> dict[str, Any]:
    begin, end = asked.window
    return {
        "question_id": asked.id,
        "video": video.name,
        "tier": asked.tier,
        "cap": asked.cap,
        "text": asked.text,
        "window": [round(begin, 3), round(end, 3)],
    }


def _read(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
