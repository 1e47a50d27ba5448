"""Requests as lmms-eval makes them, without lmms-eval's evaluator; a count of the bytes tensors hold."""

import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from hlvid.dataset.question import Question
from hlvid.tasks.doc import doc_of

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


class LiveBytes(TorchDispatchMode):
    """Bytes of all tensor storages born inside the block and still alive: `now`, and the `peak` of it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = {
            item.untyped_storage().data_ptr()
            for item in tree_flatten((args, kwargs))[0]
            if isinstance(item, torch.Tensor)
        }
        for item in tree_flatten(out)[0]:
            if isinstance(item, torch.Tensor) and item.untyped_storage().data_ptr() not in given:
                self._born(item.untyped_storage())
        return out

    def _born(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._known:
            return
        self._known[key] = storage.nbytes()
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, key)

    def _gone(self, key: int) -> None:
        self.now -= self._known.pop(key, 0)


@pytest.fixture
def live_bytes() -> type[LiveBytes]:
    """A context manager that counts tensor bytes: exact, and the same on every machine."""
    return LiveBytes
