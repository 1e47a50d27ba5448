"""A question's video: where it is, and what was found broken in it."""

from pathlib import Path

from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.video import damage_found


def video_of(question: Question) -> Path:
    """The question's video; RunError where it is not here."""
    path = question.video_path
    if path is None or not path.is_file():
        raise RunError(f"video {path or question.video} not found; run 'hlvid verify' to see what is missing")
    return path


def damage_read(question: Question) -> dict[str, list[str]]:
    """What reading the question's video found broken, for an answer's details; {} for a sound one."""
    found = damage_found(question.video_path or question.video)
    return {"video_damage": list(found)} if found else {}
