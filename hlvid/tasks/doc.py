"""A question as the flat row that lmms-eval carries, and back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hlvid.dataset.question import Question


def doc_of(question: Question, fingerprint: str) -> dict[str, str | None]:
    """A question as a flat row of text; `options` as JSON, since Arrow would give every row every letter."""
    return {
        "question_id": question.id,
        "video": question.video,
        "source": question.source,
        "category": question.category,
        "tier": question.tier,
        "text": question.prompt(),
        "stem": question.stem,
        "options": json.dumps(dict(question.options), ensure_ascii=False),
        "answer": question.answer,
        "video_path": str(question.video_path),
        "dataset": fingerprint,
    }


def question_of(doc: Mapping[str, Any]) -> Question:
    """The question that `doc_of` wrote."""
    return Question(
        id=doc["question_id"],
        video=doc["video"],
        source=doc["source"],
        category=doc["category"],
        text=doc["text"],
        stem=doc["stem"],
        options=json.loads(doc["options"]),
        answer=doc["answer"],
        tier=doc["tier"],
        video_path=Path(doc["video_path"]),
    )
