"""Requests as lmms-eval makes them, without lmms-eval's evaluator."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hlvid.dataset.question import Question
from hlvid.tasks.folder import doc_of

OPTIONS = {"A": "DL3", "B": "DL5 EXIT", "C": "DL8", "D": "DL6"}


@pytest.fixture
def questions() -> list[Question]:
    """Six questions that jump between two videos."""
    return [
        Question(
            id=str(index),
            video=f"clip_av_video_{index % 2}_000.mp4",
            source=f"av_video_{index % 2}",
            category="av",
            stem=f"What does sign {index} say?",
            options=OPTIONS,
            answer="B",
            video_path=Path(f"/videos/clip_av_video_{index % 2}_000.mp4"),
        )
        for index in range(6)
    ]


@pytest.fixture
def requests_for() -> Callable[..., list[Any]]:
    """requests_for(model, questions, chat=False): gives the model its docs, returns its requests."""

    def build(model: Any, questions: Sequence[Question], chat: bool = False) -> list[Any]:
        from lmms_eval.api.instance import Instance

        model.task_dict["hlvid"] = {"test": [doc_of(question, "sha256:toy") for question in questions]}
        settings = {"max_new_tokens": 16, "until": ["\n\n"]}
        requests = []
        for index, question in enumerate(questions):
            middle = (list, settings) if chat else (settings, list)
            requests.append(
                Instance(
                    request_type="generate_until",
                    arguments=(question.prompt(), *middle, index, "hlvid", "test"),
                    idx=0,
                    metadata={"task": "hlvid", "doc_id": index, "repeats": 1},
                )
            )
        return requests

    return build
