"""Run with: pytest tests/evaluators/models/test_base.py. A toy model stands for a real one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from evaluators.core.base import Answer, JournalledModel
from hlvid.dataset.question import Question
from hlvid.errors import RunError, VideoError
from hlvid.tasks import costs as ledger


class Toy(JournalledModel):
    """Answers with the question's id, and remembers whom it was asked about."""

    name: ClassVar[str] = "toy"

    def __init__(self, runs: Path, frames: int = 4, failing: dict[str, Exception] | None = None) -> None:
        super().__init__(runs=str(runs))
        self.frames = frames
        self.failing = failing or {}
        self.asked: list[str] = []

    def settings(self) -> dict[str, Any]:
        return {"frames": self.frames}

    def answer(self, question: Question) -> Answer:
        self.asked.append(question.id)
        if question.id in self.failing:
            raise self.failing[question.id]
        return Answer(f"answer {question.id}", {"tokens_selected": 10 + int(question.id)})


Requests = Callable[..., list[Any]]


@pytest.mark.parametrize("chat", [False, True])
def test_order_of_requests_is_kept_though_videos_are_grouped(
    chat: bool, tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path)
    results = model.generate_until(requests_for(model, questions, chat))
    assert [result.text for result in results] == [f"answer {index}" for index in range(6)]
    assert model.asked == ["0", "2", "4", "1", "3", "5"]
    assert results[3].token_counts.input_tokens == 13


def test_simple_and_chat_requests_share_one_journal(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    first, second = Toy(tmp_path), Toy(tmp_path)
    first.generate_until(requests_for(first, questions))
    second.generate_until(requests_for(second, questions, chat=True))
    assert second.asked == []


def test_details_reach_the_ledger_also_from_the_journal(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path)
    model.generate_until(requests_for(model, questions))
    ledger.clear()
    again = Toy(tmp_path)
    again.generate_until(requests_for(again, questions))
    assert again.asked == []
    assert ledger.lookup("5") == {"tokens_selected": 15}


def test_only_what_is_missing_is_computed(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    part = Toy(tmp_path)
    part.generate_until(requests_for(part, questions)[:2])
    whole = Toy(tmp_path)
    results = whole.generate_until(requests_for(whole, questions))
    assert sorted(whole.asked) == ["2", "3", "4", "5"]
    assert [result.text for result in results] == [f"answer {index}" for index in range(6)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda model: setattr(model, "frames", 8), "settings"),
        (lambda model: setattr(model, "code", (*model.code, "hlvid.paths")), "code"),
        (lambda model: setattr(model, "libraries", ("numpy",)), "libraries"),
    ],
)
def test_another_setting_or_version_starts_over(
    change: Callable[[Toy], None],
    what: str,
    tmp_path: Path,
    questions: list[Question],
    requests_for: Requests,
) -> None:
    first, second = Toy(tmp_path), Toy(tmp_path)
    first.generate_until(requests_for(first, questions))
    change(second)
    second.generate_until(requests_for(second, questions))
    assert len(second.asked) == 6, what
    assert len(list(tmp_path.glob("toy-*.jsonl"))) == 2


def test_another_prompt_or_dataset_starts_over(
    tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    first, prompted, moved = Toy(tmp_path), Toy(tmp_path), Toy(tmp_path)
    first.generate_until(requests_for(first, questions))
    requests = requests_for(prompted, questions)
    for request in requests:
        request.arguments = ("Think first. " + request.arguments[0], *request.arguments[1:])
    prompted.generate_until(requests)
    requests = requests_for(moved, questions)
    for doc in moved.task_dict["hlvid"]["test"]:
        doc["dataset"] = "sha256:other"
    moved.generate_until(requests)
    assert len(prompted.asked) == len(moved.asked) == 6


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (VideoError("frame 7 does not decode"), r"question 4 \(clip_av_video_0_000.mp4\): frame 7 does not"),
        (ZeroDivisionError("division by zero"), r"question 4 .*: ZeroDivisionError: division by zero"),
    ],
)
def test_a_failure_names_the_question_and_keeps_the_rest(
    error: Exception, text: str, tmp_path: Path, questions: list[Question], requests_for: Requests
) -> None:
    model = Toy(tmp_path, failing={"4": error})
    with pytest.raises(RunError, match=text):
        model.generate_until(requests_for(model, questions))
    again = Toy(tmp_path)
    again.generate_until(requests_for(again, questions))
    assert again.asked == ["4", "1", "3", "5"]
