"""What a dataset is, by what it holds: two copies in two places are one set, a changed letter makes another.

No path, no order and no neighbour counts: after a move, on another machine, or when more videos have come, a
question is still the same question. Videos count by size, and in answers by a few samples (`hlvid.files.mark`): reading
152 GB takes minutes, `hlvid verify` does it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from hlvid.dataset.question import Question
from hlvid.files import mark


def question_identity(question: Question) -> dict[str, Any]:
    """What of a question shapes a model's answer, as JSON values; the right answer is not among it.

    `video` is relative to the benchmark; `video_bytes` and `video_mark` are None where the video is not there.
    """
    return {
        "id": question.id,
        "text": question.prompt(),
        "options": dict(question.options),
        "video": question.video,
        "video_bytes": video_bytes(question),
        "video_mark": _mark(question),
    }


def video_bytes(question: Question) -> int | None:
    """The size of a question's video; None where it is not there."""
    path = question.video_path
    return path.stat().st_size if path is not None and path.is_file() else None


def _mark(question: Question) -> str | None:
    path = question.video_path
    return mark(path) if path is not None and path.is_file() else None


def set_hash(questions: Iterable[Question]) -> str:
    """ "sha256:<hex>" over id, video, text with options, and answer of each question, in order of ids.

    The same for parquet, csv or jsonl, and for a set of which no video is here yet.
    """
    return _hash(sorted((one.id, one.video, one.prompt(), one.answer) for one in questions))


def asked_hash(questions: Iterable[Question]) -> str:
    """As `set_hash`, and over the size of each video; for the questions that a run asks."""
    return _hash(
        sorted((one.id, one.video, one.prompt(), one.answer, video_bytes(one) or 0) for one in questions)
    )


def of_sets(whole: Sequence[Question], asked: Sequence[Question]) -> dict[str, Any]:
    """For the record of a run: counts and hashes of the whole set and of what was asked of it."""
    return {
        "set": set_hash(whole),
        "set_questions": len(whole),
        "fingerprint": asked_hash(asked),
        "questions": len(asked),
        "videos": _hash(sorted({(one.video, _mark(one) or "") for one in asked})),
    }


def _hash(rows: list[Any]) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()}"
