"""`gaze_reader` as lmms-eval drives it, with the reading replaced by known lines."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.core.identity import differences
from evaluators.models.blind import hashed_letter
from evaluators.models.gaze_reader import model as gaze_reader
from evaluators.models.gaze_reader.model import GazeReader, GazeReaderChat, texts
from evaluators.models.gaze_reader.options import Line
from evaluators.models.gaze_reader.reader import Reading
from evaluators.models.gaze_reader.settings import ReaderSettings
from hlvid.dataset.question import Question
from hlvid.errors import RunError
from hlvid.tasks import costs


def line(text: str) -> Line:
    return Line(text, 0.9, 0, (0, 0, 50, 20), 1.0, 20)


@pytest.fixture
def videos(questions: list[Question], tmp_path: Path) -> list[Question]:
    """The questions with videos that exist."""
    for question in questions:
        (tmp_path / question.video).touch()
    return [replace(question, video_path=tmp_path / question.video) for question in questions]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Reading is replaced: video 0 says DL8, video 1 nothing. The list holds the videos read."""
    done: list[Path] = []

    def fake(
        path: Path, settings: ReaderSettings, cache: bool = True, question: str | None = None
    ) -> Reading:
        done.append(path)
        return Reading(
            [line("DL8"), line("EXIT")] if "_0_000" in path.name else [], {"frames": settings.frames}
        )

    monkeypatch.setattr(gaze_reader, "read_video", fake)
    return done


@pytest.mark.parametrize("kind", [GazeReader, GazeReaderChat])
def test_answers_and_what_they_took(
    kind: type[GazeReader],
    videos: Sequence[Question],
    read: list[Path],
    requests_for: Callable[..., list[Any]],
    tmp_path: Path,
) -> None:
    model = kind(frames=5, runs=str(tmp_path / "runs"))
    answers = model.generate_until(requests_for(model, videos, chat=not kind.is_simple))
    assert len(read) == 2, "one reading a video"
    for question, answer in zip(videos, answers, strict=True):
        details = costs.lookup(question.id)
        read_it = "_0_000" in question.video
        assert answer.text == ("C" if read_it else hashed_letter(question.id, question.options))
        assert details["abstained"] is (not read_it) and details["frames"] == 5
        assert details["text_read"] == (["DL8", "EXIT"] if read_it else [])


def test_settings_are_complete_and_the_cache_is_not_one() -> None:
    model = GazeReader(selector="random", ratio=0.1, cache=False)
    assert set(model.settings()) == {one.name for one in fields(ReaderSettings)}
    assert model.settings()["seed"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resolutoin": 448}, "unknown argument 'resolutoin'; allowed: selector, ratio, resolution, frames"),
        ({"selector": "all"}, "selector is 'all'; allowed: .*everything"),
        ({"cache": "yes"}, "cache is 'yes'; allowed"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        GazeReader(**arguments)


def test_missing_video(questions: list[Question]) -> None:
    with pytest.raises(RunError, match=r"clip_av_video_0_000.mp4 not found; run 'hlvid verify'"):
        GazeReader().answer(questions[0])


def test_a_video_that_needs_too_much_memory_costs_its_own_questions_alone(
    videos: Sequence[Question],
    read: list[Path],
    requests_for: Callable[..., list[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = gaze_reader.read_video

    def short(path: Path, *given: Any) -> Reading:
        if "_1_000" in path.name:
            raise MemoryError
        return whole(path, *given)

    monkeypatch.setattr(gaze_reader, "read_video", short)
    costs.clear()
    model = GazeReader(frames=5, runs=str(tmp_path / "runs"))
    model.generate_until(requests_for(model, videos))
    ended = {question.id: costs.lookup(question.id).get("outcome") for question in videos}
    assert ended == {q.id: "out_of_memory" if "_1_000" in q.video else None for q in videos}


def test_texts_are_told_apart_as_read_and_best_first() -> None:
    assert texts([line("Exit 5"), line("DL8"), line("DL 8")]) == ["DL8", "Exit 5"]


SELECTOR = """
from pathlib import Path

from autogaze.selectors.detail import Detail
from my_ratio import RATIO


class Mine(Detail):
    name = "mine"

    def settings(self):
        return {**super().settings(), "weights": str(Path(__file__).parent / "weights")}
"""


def test_a_selector_of_the_user_s_own_counts_with_its_helpers_and_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_look.py").write_text(SELECTOR)
    (tmp_path / "my_ratio.py").write_text("RATIO = 0.1\n")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.pt").write_bytes(b"one")
    model = GazeReader(selector="my_look:Mine", frames=2, resolution=448)
    before = model.identity()
    (tmp_path / "my_ratio.py").write_text("RATIO = 0.2\n")
    helped = model.identity()
    (tmp_path / "weights" / "model.pt").write_bytes(b"two")
    retrained = model.identity()
    assert differences(before, helped) == ["code of my_ratio changed"]
    assert differences(helped, retrained) == ["weights of weights changed"]
    assert str(tmp_path) not in str(retrained), "a place is not part of it"
